import { deepEqual, equal, ok } from 'node:assert/strict';
import { mkdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { before, describe, it } from 'node:test';
import type { StaticMount } from '../../src/static/mount.ts';
import { ask } from '../support/http-client.ts';
import { suiteLifetime } from '../support/lifetime.ts';
import { serveFiles } from '../support/serve-files.ts';
import type { TestServer } from '../support/serve-handler.ts';
import { makeSite, withMount } from '../support/static-site.ts';

const BROWSER = [['Accept', 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8']] as const;

describe('the types of a static mount', () => {
  const suite = suiteLifetime();
  const names = ['a.html', 'b.TXT', 'c.svg', 'noextension', 'html', 'd.html.unknown', 'index.html', 'e.txt'];
  const { root } = makeSite(suite, Object.fromEntries(names.map((name) => [name, '<script>'])));
  writeFileSync(join(root, 'a.html.br'), 'coded');
  const typesOf = async (mount: Partial<StaticMount>) => {
    const types: Record<string, string | null> = {};
    await withMount(
      suite,
      { fallthrough: false, index: ['index.html'], precompressed: ['br'], ...mount },
      root,
      async (get) => {
        for (const name of [...names.slice(0, 6), '']) {
          const answer = await get(`/${name}`, [['Accept-Encoding', 'br']]);
          equal(answer.status, 200);
          equal(answer.header('x-content-type-options'), 'nosniff');
          types[name] = answer.header('content-type');
        }
      },
    );
    return types;
  };
  const BINARY = 'application/octet-stream';

  it('are the usual ones by default, with a type of their own for the others', async () => {
    const usual = {
      'a.html': 'text/html; charset=utf-8',
      'b.TXT': 'text/plain; charset=utf-8',
      'c.svg': 'image/svg+xml',
    };
    const unknown = (type: string) => ({ noextension: type, html: type, 'd.html.unknown': type });
    const index = { '': 'text/html; charset=utf-8' };
    deepEqual(await typesOf({}), { ...usual, ...unknown(BINARY), ...index });
    deepEqual(await typesOf({ defaultType: 'text/x-own' }), { ...usual, ...unknown('text/x-own'), ...index });
  });

  it('are only those of the table, as they are written', async () => {
    const own = { 'a.html': 'text/plain', 'b.TXT': 'text/x; charset=latin1', 'c.svg': BINARY };
    const types = { html: 'text/plain', txt: 'text/x; charset=latin1' };
    deepEqual(await typesOf({ types }), {
      ...own,
      ...{ noextension: BINARY, html: BINARY, 'd.html.unknown': BINARY, '': 'text/plain' },
    });
  });

  it('are nothing but the default when the table is empty, also in parts of several ranges', async () => {
    for (const type of Object.values(await typesOf({ types: {} }))) equal(type, BINARY);
    await withMount(suite, { types: {}, fallthrough: false }, root, async (get) => {
      const { body } = await get('/a.html', [['Range', 'bytes=0-1,4-5']]);
      deepEqual(body.match(/Content-Type: .*(?=\r)/g), [`Content-Type: ${BINARY}`, `Content-Type: ${BINARY}`]);
    });
  });
});

describe('Cache-Control by rules', () => {
  const suite = suiteLifetime();
  const { root } = makeSite(suite, { 'a.css': 'body {}', 'sub/index.html': 'x' });
  const cacheControl = [{ pattern: '**', value: 'max-age=60' }];

  it('is on answers with the file, and on no error or redirect', () =>
    withMount(suite, { cacheControl, fallthrough: false, index: ['index.html'] }, root, async (get) => {
      const etag = (await get('/a.css')).header('etag') ?? '';
      for (const [target, headers, method, status] of [
        ['/a.css', [], 'GET', 200],
        ['/a.css', [], 'HEAD', 200],
        ['/a.css', [['Range', 'bytes=0-1']], 'GET', 206],
        ['/a.css', [['If-None-Match', etag]], 'GET', 304],
        ['/sub/', [], 'GET', 200],
        ['/a.css', [['If-Match', '"other"']], 'GET', 412],
        ['/a.css', [['Range', 'bytes=100-']], 'GET', 416],
        ['/b.css', [], 'GET', 404],
        ['/a.css', [], 'POST', 405],
        ['/sub', [], 'GET', 301],
      ] as const) {
        const answer = await get(target, headers, method);
        equal(answer.status, status, target);
        const isFile = status < 400 && status !== 301;
        equal(answer.header('cache-control')?.includes('max-age=60') ?? false, isFile, `${target} ${status}`);
      }
    }));
});

describe('an index of a static mount', () => {
  const suite = suiteLifetime();
  const { root, top } = makeSite(suite, {
    'index.html': 'top',
    'sub/index.html': 'sub',
    'sub/b.txt': 'b',
    'second/index.htm': 'second',
    'none/b.txt': 'b',
    'größe 100%/index.html': 'odd',
    '.hidden/index.html': 'hidden',
  });
  const mount = { index: ['index.html', 'index.htm'], fallthrough: false };

  it('answers for its directory, the first existing name, with its own type, conditions and ranges', () =>
    withMount(suite, mount, root, async (get) => {
      equal((await get('/')).body, 'top');
      const answer = await get('/sub/');
      equal(answer.body, 'sub');
      equal(answer.header('content-type'), 'text/html; charset=utf-8');
      equal((await get('/second/')).body, 'second');
      equal((await get('/sub/', [['If-None-Match', answer.header('etag') ?? '']])).status, 304);
      equal((await get('/sub/', [['Range', 'bytes=1-1']])).body, 'u');
      equal((await get('/sub/', [], 'HEAD')).header('content-length'), '3');
      equal((await get('/sub/index.html')).body, 'sub');
    }));

  it('is at the path with a slash, to which the path without a slash redirects, keeping the query', () =>
    withMount(suite, mount, root, async (get) => {
      const answer = await get('/sub?a=1&b=%2F');
      equal(answer.status, 301);
      equal(answer.header('location'), '/sub/?a=1&b=%2F');
      equal((await get('/sub', [], 'HEAD')).status, 301);
      equal((await get('/s%75b')).header('location'), '/sub/');
      const odd = await get(`/${encodeURIComponent('größe 100%')}`);
      equal(odd.header('location'), '/gr%C3%B6%C3%9Fe%20100%25/');
      equal((await get(odd.header('location') ?? '')).body, 'odd');
    }));

  it('is reached from the path of its mount without a slash, unless the mount has neither index nor listing', async () => {
    const location = async (options: object, target: string) => {
      const server = await serveFiles(suite, [{ urlPrefix: '/docs/', directories: [root], ...options }]);
      return (await ask(server.port, target)).header('location');
    };
    equal(await location(mount, '/docs?a=1'), '/docs/?a=1');
    equal(await location(mount, '/d%6fcs'), '/docs/');
    equal(await location({ listing: true }, '/docs'), '/docs/');
    equal(await location({ index: ['none.html'] }, '/docs'), null);
    equal(await location({}, '/docs'), null);
    equal(await location(mount, '/doc'), null);
    equal(await location(mount, '/docss'), null);
  });

  it('never redirects a client to another host', () =>
    withMount(suite, mount, root, async (get) => {
      mkdirSync(join(root, 'evil.example'), { recursive: true });
      writeFileSync(join(root, 'evil.example/index.html'), '');
      for (const target of [
        '//evil.example',
        '///evil.example',
        '/%2fevil.example',
        '/%5cevil.example',
        '/./evil.example',
        '/sub/..//evil.example',
        '/\\evil.example',
        '//evil.example/%2e%2e',
      ]) {
        const answer = await get(target);
        equal(answer.header('location'), null, target);
        ok(answer.status === 404 || answer.status === 400, target);
      }
      equal((await get('/evil.example')).header('location'), '/evil.example/');
    }));

  it('is missing: 404 with and without slash, and for hidden directories and links that lead out', () =>
    withMount(suite, mount, root, async (get) => {
      mkdirSync(join(top, 'outside'));
      writeFileSync(join(top, 'outside/index.html'), 'secret');
      symlinkSync('../outside', join(root, 'link'));
      for (const target of ['/none', '/none/', '/.hidden', '/.hidden/', '/link', '/link/', '/index.html/', '/sub//']) {
        const answer = await get(target);
        equal(answer.status, 404, target);
        equal(answer.header('location'), null, target);
      }
    }));

  it('keeps the prefix of its mount in the redirect', () =>
    withMount(suite, { ...mount, urlPrefix: '/docs/' }, root, async (get) => {
      equal((await get('/docs/')).body, 'top');
      equal((await get('/docs/sub')).header('location'), '/docs/sub/');
    }));
});

describe('a fallback of a static mount', () => {
  const suite = suiteLifetime();
  const { root } = makeSite(suite, {
    'index.html': 'app',
    'app.js': 'js',
    'assets/x.png': 'png',
    'index.html.gz': 'zip',
  });
  utimesSync(join(root, 'index.html'), 1000, 1000);
  const mount = { fallback: 'index.html' };

  it('answers for pages without a file, and is revalidated each time', () =>
    withMount(suite, mount, root, async (get) => {
      for (const target of ['/', '/users', '/users/12/', '/a/b/c?d=e.f', '/file%2Fwith%2Fslashes', '/assets']) {
        const answer = await get(target, BROWSER);
        equal(answer.status, 200, target);
        equal(answer.body, 'app', target);
        equal(answer.header('content-type'), 'text/html; charset=utf-8');
        equal(answer.header('cache-control'), 'no-cache');
      }
      equal((await get('/users', BROWSER, 'HEAD')).status, 200);
      const etag = (await get('/users', BROWSER)).header('etag') ?? '';
      equal((await get('/others', [...BROWSER, ['If-None-Match', etag]])).status, 304);
      equal((await get('/app.js', BROWSER)).body, 'js');
    }));

  it('does not answer for assets, hidden names, other methods and clients that do not accept HTML', () =>
    withMount(suite, { ...mount, fallthrough: false }, root, async (get) => {
      for (const target of ['/assets/missing.js', '/favicon.ico', '/.env', '/.git/config', '/a/..%2f..%2fetc/x.y'])
        equal((await get(target, BROWSER)).status, 404, target);
      for (const accept of ['application/json', 'image/*', 'text/html;q=0, */*', 'text/*;q=0'])
        equal((await get('/users', [['Accept', accept]])).status, 404, accept);
      for (const accept of ['*/*', 'text/*', 'application/json, text/html;q=0.1', ''])
        equal((await get('/users', [['Accept', accept]])).status, 200, accept);
      equal((await get('/users', [])).status, 200);
      equal((await get('/users', BROWSER, 'POST')).status, 405);
    }));

  it('answers for paths with a dot when configured', () =>
    withMount(suite, { ...mount, fallbackFor: 'all' }, root, async (get) => {
      equal((await get('/packages/left-pad@1.0.0', BROWSER)).body, 'app');
    }));

  it('keeps no-cache despite rules and fields, even when compressed', () =>
    withMount(
      suite,
      {
        ...mount,
        precompressed: ['gzip'],
        cacheControl: [{ pattern: '*', value: 'max-age=60' }],
        headers: ['cache-control', 'max-age=99', 'X-Own', 'x'],
      },
      root,
      async (get) => {
        equal((await get('/index.html')).header('cache-control'), 'max-age=99');
        const answer = await get('/users', [...BROWSER, ['Accept-Encoding', 'gzip']]);
        equal(answer.header('cache-control'), 'no-cache');
        equal(answer.header('content-encoding'), 'gzip');
        equal(answer.header('x-own'), 'x');
        equal(answer.body, 'zip');
        ok(answer.headers.some(([name, value]) => name === 'vary' && value === 'Accept'));
      },
    ));

  it('passes on other requests below /, and all requests when the file is missing', () =>
    withMount(suite, { fallback: 'nothing.html' }, root, async (get) => {
      equal((await get('/users', BROWSER)).body, 'passed on');
    }));
});

describe('files to try of a static mount', () => {
  const suite = suiteLifetime();
  const { root } = makeSite(suite, {
    'about.html': 'about',
    'blog/index.html': 'blog',
    'blog.html': 'blog page',
    'docs/index.html': 'docs',
    '.secret.html': 'secret',
    '404.html': 'lost',
  });

  it('are tried in order', () =>
    withMount(suite, { tryFiles: ['{path}', '{path}.html', '{path}/index.html'] }, root, async (get) => {
      equal((await get('/about')).body, 'about');
      equal((await get('/about.html')).body, 'about');
      equal((await get('/blog')).body, 'blog page');
      equal((await get('/docs')).body, 'docs');
      equal((await get('/docs/')).body, 'docs');
      for (const target of [
        '/about/',
        '/nothing',
        '/.secret',
        '/',
        '/about%2f',
        '/..%2froot/about',
        '//about',
        '///docs',
      ])
        equal((await get(target)).body, 'passed on', target);
    }));

  it('may end with a file for every path, as in nginx', () =>
    withMount(suite, { tryFiles: ['{path}', '{path}/', '/404.html'], index: ['index.html'] }, root, async (get) => {
      equal((await get('/docs/')).body, 'docs');
      equal((await get('/docs')).status, 301);
      equal((await get('/nothing')).body, 'lost');
      equal((await get('/no/thing.png')).body, 'lost');
    }));
});

describe('several static mounts', () => {
  const suite = suiteLifetime();
  const first = makeSite(suite, { a: 'one/a', 'index.html': 'one' });
  const second = makeSite(suite, { a: 'two/a', b: 'two/b', 'index.html': 'two' });
  let server: TestServer;
  before(async () => {
    server = await serveFiles(suite, [
      { urlPrefix: '/s/', directories: [first.root], fallthrough: true, headers: ['X-From', 'one'] },
      { urlPrefix: '/s/deep/', directories: [second.root], headers: ['X-From', 'two'], index: ['index.html'] },
      { urlPrefix: '/', directories: [second.root], fallthrough: false },
    ]);
  });

  it('are asked in order, fall through or not, and put their fields only on their own files', async () => {
    const get = (target: string, method = 'GET') => ask(server.port, target, { method });
    equal((await get('/s/a')).header('x-from'), 'one');
    equal((await get('/s/deep/')).header('x-from'), 'two');
    equal((await get('/s/')).status, 404);
    equal((await get('/b')).header('x-from'), null);
    equal((await get('/nothing')).status, 404);
    equal((await get('/nothing', 'POST')).status, 405);
  });

  it('pass on other methods and missing files when all of them fall through', () =>
    withMount(suite, { urlPrefix: '/s/', fallthrough: true }, first.root, async (get) => {
      equal((await get('/s/a')).body, 'one/a');
      equal((await get('/s/b')).body, 'passed on');
      equal((await get('/s/a', [], 'POST')).body, 'passed on');
    }));

  it('present a file again when it now comes from another mount', async () => {
    const file = join(first.root, 'deep/b');
    equal((await ask(server.port, '/s/deep/b')).header('x-from'), 'two');
    mkdirSync(dirname(file));
    writeFileSync(file, 'one/deep/b');
    const answer = await ask(server.port, '/s/deep/b');
    equal(answer.body, 'one/deep/b');
    equal(answer.header('x-from'), 'one');
  });
});
