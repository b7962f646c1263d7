import { deepEqual, equal, ok } from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdirSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { StaticMount } from '../../src/web/files/mount.ts';
import { ask, type HttpAnswer } from '../support/http-client.ts';
import { type StaticServer, startStaticServer, temporaryDirectory } from '../support/static-server.ts';

const BROWSER = [['Accept', 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8']] as const;
const FOR_GOOD = 'public, max-age=31536000, immutable';

/** A directory with `files`, by their names. */
function site(files: Record<string, string>) {
  const temporary = temporaryDirectory();
  const root = join(temporary.path, 'root');
  mkdirSync(root);
  const write = (name: string, content: string) => {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), content);
  };
  for (const [name, content] of Object.entries(files)) write(name, content);
  return { root, top: temporary.path, write, remove: temporary.remove };
}

/** Runs `use` with a server of one mount of `root`. */
async function serving(
  mount: Omit<StaticMount, 'urlPrefix' | 'directories'> & Partial<StaticMount>,
  root: string,
  use: (
    get: (target: string, headers?: readonly (readonly [string, string])[], method?: string) => Promise<HttpAnswer>,
  ) => Promise<void>,
): Promise<void> {
  const server = await startStaticServer([{ urlPrefix: '/', directories: [root], ...mount }]);
  try {
    await use((target, headers = [], method = 'GET') => ask(server.port, target, { headers, method }));
    deepEqual(server.errors, []);
  } finally {
    server.close();
  }
}

describe('an index of a static mount', () => {
  const { root, top, remove } = site({
    'index.html': 'top',
    'sub/index.html': 'sub',
    'sub/b.txt': 'b',
    'second/index.htm': 'second',
    'none/b.txt': 'b',
    'größe 100%/index.html': 'odd',
    '.hidden/index.html': 'hidden',
  });
  after(remove);
  const mount = { index: ['index.html', 'index.htm'], fallthrough: false };

  it('answers for its directory, the first that is there, with its own type, conditions and ranges', () =>
    serving(mount, root, async (get) => {
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

  it('is asked for below the path with a slash: without it the client is sent there, with its query', () =>
    serving(mount, root, async (get) => {
      const answer = await get('/sub?a=1&b=%2F');
      equal(answer.status, 301);
      equal(answer.header('location'), '/sub/?a=1&b=%2F');
      equal((await get('/sub', [], 'HEAD')).status, 301);
      equal((await get('/s%75b')).header('location'), '/sub/');
      const odd = await get(`/${encodeURIComponent('größe 100%')}`);
      equal(odd.header('location'), '/gr%C3%B6%C3%9Fe%20100%25/');
      equal((await get(odd.header('location') ?? '')).body, 'odd');
    }));

  it('never sends a client to another host', () =>
    serving(mount, root, async (get) => {
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

  it('is not there: 404 with and without slash, and for hidden and linked directories outside', () =>
    serving(mount, root, async (get) => {
      mkdirSync(join(top, 'outside'));
      writeFileSync(join(top, 'outside/index.html'), 'secret');
      symlinkSync('../outside', join(root, 'link'));
      for (const target of ['/none', '/none/', '/.hidden', '/.hidden/', '/link', '/link/', '/index.html/', '/sub//']) {
        const answer = await get(target);
        equal(answer.status, 404, target);
        equal(answer.header('location'), null, target);
      }
    }));

  it('below a prefix keeps the prefix', () =>
    serving({ ...mount, urlPrefix: '/docs/' }, root, async (get) => {
      equal((await get('/docs/')).body, 'top');
      equal((await get('/docs/sub')).header('location'), '/docs/sub/');
    }));
});

describe('a fallback of a static mount', () => {
  const { root, remove } = site({ 'index.html': 'app', 'app.js': 'js', 'assets/x.png': 'png', 'index.html.gz': 'zip' });
  after(remove);
  utimesSync(join(root, 'index.html'), 1000, 1000);
  const mount = { fallback: 'index.html' };

  it('answers pages that have no file, and is asked for again each time', () =>
    serving(mount, root, async (get) => {
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

  it('does not answer for assets, hidden names, other methods and clients that want no HTML', () =>
    serving({ ...mount, fallthrough: false }, root, async (get) => {
      for (const target of ['/assets/missing.js', '/favicon.ico', '/.env', '/.git/config', '/a/..%2f..%2fetc/x.y'])
        equal((await get(target, BROWSER)).status, 404, target);
      for (const accept of ['application/json', 'image/*', 'text/html;q=0, */*', 'text/*;q=0'])
        equal((await get('/users', [['Accept', accept]])).status, 404, accept);
      for (const accept of ['*/*', 'text/*', 'application/json, text/html;q=0.1', ''])
        equal((await get('/users', [['Accept', accept]])).status, 200, accept);
      equal((await get('/users', [])).status, 200);
      equal((await get('/users', BROWSER, 'POST')).status, 405);
    }));

  it('answers for paths with a dot where that is wanted', () =>
    serving({ ...mount, fallbackFor: 'all' }, root, async (get) => {
      equal((await get('/packages/left-pad@1.0.0', BROWSER)).body, 'app');
    }));

  it('keeps no-cache whatever the rules say, also compressed', () =>
    serving(
      { ...mount, precompressed: ['gzip'], cacheControl: [{ pattern: '*', value: 'max-age=60' }] },
      root,
      async (get) => {
        equal((await get('/index.html')).header('cache-control'), 'max-age=60');
        const answer = await get('/users', [...BROWSER, ['Accept-Encoding', 'gzip']]);
        equal(answer.header('cache-control'), 'no-cache');
        equal(answer.header('content-encoding'), 'gzip');
        equal(answer.body, 'zip');
      },
    ));

  it('passes on what it does not answer for below /, and everything when it is gone', () =>
    serving({ fallback: 'nothing.html' }, root, async (get) => {
      equal((await get('/users', BROWSER)).body, 'passed on');
    }));
});

describe('names to try of a static mount', () => {
  const { root, remove } = site({
    'about.html': 'about',
    'blog/index.html': 'blog',
    'blog.html': 'blog page',
    'docs/index.html': 'docs',
    '.secret.html': 'secret',
    '404.html': 'lost',
  });
  after(remove);

  it('are tried in order', () =>
    serving({ tryFiles: ['{path}', '{path}.html', '{path}/index.html'] }, root, async (get) => {
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

  it('may end with a file for everything, as nginx users write it', () =>
    serving({ tryFiles: ['{path}', '{path}/', '/404.html'], index: ['index.html'] }, root, async (get) => {
      equal((await get('/docs/')).body, 'docs');
      equal((await get('/docs')).status, 301);
      equal((await get('/nothing')).body, 'lost');
      equal((await get('/no/thing.png')).body, 'lost');
    }));
});

describe('Cache-Control of a static mount', () => {
  const md5 = createHash('md5').update('django').digest('hex').slice(0, 12);
  const { root, write, remove } = site({
    'site.css': 'css',
    'img/deep/a.png': 'png',
    'img.png': 'png',
    [`base.${md5}.css`]: 'django',
    'assets/index-BxZ1_a2B.js': 'vite',
    'assets/index-D4f9aQ_1.css': 'not in the manifest',
    'assets/my-calendar.js': 'a name',
    'main.8e0d6a2f.chunk.js': 'webpack',
    'invoice-20241123.pdf': 'a date',
    'large.0123456789ab.bin': 'x'.repeat(1_200_000),
  });
  after(remove);

  it('is of the first rule that fits, for names and for paths below the mount', () => {
    const cacheControl = [
      { pattern: '/img/**', value: 'max-age=1' },
      { pattern: '*.{css,js}', value: 'max-age=2' },
      { pattern: '*.png', value: 'max-age=3' },
    ];
    return serving({ urlPrefix: '/s/', cacheControl }, root, async (get) => {
      const lifetime = async (name: string) => (await get(`/s/${name}`)).header('cache-control');
      equal(await lifetime('img/deep/a.png'), 'max-age=1');
      equal(await lifetime('site.css'), 'max-age=2');
      equal(await lifetime(`base.${md5}.css`), 'max-age=2', 'a rule wins over the hash');
      equal(await lifetime('img.png'), 'max-age=3');
      equal(await lifetime('invoice-20241123.pdf'), 'no-cache');
    });
  });

  it('lasts for good for names that a manifest of the build tool lists and that hold a hash, and for no others', () =>
    serving({}, root, async (get) => {
      const lifetime = async (name: string) => (await get(`/${name}`)).header('cache-control');
      equal(await lifetime(`base.${md5}.css`), FOR_GOOD);
      equal(await lifetime('assets/index-BxZ1_a2B.js'), 'no-cache', 'without a manifest');
      write(
        '.vite/manifest.json',
        JSON.stringify({ 'main.ts': { file: 'assets/index-BxZ1_a2B.js', css: ['assets/my-calendar.js'] } }),
      );
      write('staticfiles.json', JSON.stringify({ paths: { 'large.bin': 'large.0123456789ab.bin' } }));
      utimesSync(join(root, 'assets/index-BxZ1_a2B.js'), 1000, 1000);
      equal(await lifetime('assets/index-BxZ1_a2B.js'), FOR_GOOD);
      equal(await lifetime('large.0123456789ab.bin'), FOR_GOOD);
      equal(await lifetime('assets/index-D4f9aQ_1.css'), 'no-cache');
      equal(await lifetime('assets/my-calendar.js'), 'no-cache');
      await serving({}, join(root, 'assets'), async (below) => {
        equal((await below('/index-BxZ1_a2B.js')).header('cache-control'), FOR_GOOD, 'the manifest lies above');
      });
      rmSync(join(root, '.vite'), { recursive: true });
      rmSync(join(root, 'staticfiles.json'));
    }));

  it('lasts for good for all names that look like it, or for none, where that is said', async () => {
    const lifetimes = (immutable: 'always' | 'never') => {
      const found: Record<string, string | null> = {};
      const names = [
        `base.${md5}.css`,
        'assets/index-BxZ1_a2B.js',
        'main.8e0d6a2f.chunk.js',
        'assets/my-calendar.js',
        'invoice-20241123.pdf',
        'site.css',
      ];
      return serving({ immutable }, root, async (get) => {
        for (const name of names) found[name] = (await get(`/${name}`)).header('cache-control');
      }).then(() => Object.values(found));
    };
    deepEqual(await lifetimes('always'), [FOR_GOOD, FOR_GOOD, FOR_GOOD, 'no-cache', 'no-cache', 'no-cache']);
    deepEqual(await lifetimes('never'), Array(6).fill('no-cache'));
  });

  it('and other fields of the mount replace those of Viaduct, in 304 too', () => {
    const headers = ['Access-Control-Allow-Origin', '*', 'cache-control', 'max-age=9', 'Vary', 'Origin'];
    return serving({ headers, precompressed: ['gzip'] }, root, async (get) => {
      write('zipped.js', 'js');
      write('zipped.js.gz', 'zip');
      for (const extra of [[], [['If-None-Match', '*']], [['Range', 'bytes=0-0']]] as const) {
        const answer = await get('/zipped.js', extra);
        const all = (name: string) => answer.headers.filter(([other]) => other === name).map(([, value]) => value);
        deepEqual(all('cache-control'), ['max-age=9'], `${answer.status}`);
        deepEqual(all('access-control-allow-origin'), ['*']);
        deepEqual(all('vary'), ['Accept-Encoding', 'Origin']);
      }
    });
  });
});

describe('static mounts with options of their own', () => {
  const one = site({ a: 'one/a', 'index.html': 'one' });
  const two = site({ a: 'two/a', b: 'two/b', 'index.html': 'two' });
  let server: StaticServer;
  before(async () => {
    server = await startStaticServer([
      { urlPrefix: '/s/', directories: [one.root], fallthrough: true, headers: ['X-From', 'one'] },
      { urlPrefix: '/s/deep/', directories: [two.root], headers: ['X-From', 'two'], index: ['index.html'] },
      { urlPrefix: '/', directories: [two.root], fallthrough: false },
    ]);
  });
  after(() => {
    server.close();
    one.remove();
    two.remove();
  });

  it('are each asked, fall through or not, and put their fields on their files alone', async () => {
    const get = (target: string, method = 'GET') => ask(server.port, target, { method });
    equal((await get('/s/a')).header('x-from'), 'one');
    equal((await get('/s/deep/')).header('x-from'), 'two');
    equal((await get('/s/')).status, 404);
    equal((await get('/b')).header('x-from'), null);
    equal((await get('/nothing')).status, 404);
    equal((await get('/nothing', 'POST')).status, 405);
  });

  it('pass on other methods and what is missing where all of them fall through', () =>
    serving({ urlPrefix: '/s/', fallthrough: true }, one.root, async (get) => {
      equal((await get('/s/a')).body, 'one/a');
      equal((await get('/s/b')).body, 'passed on');
      equal((await get('/s/a', [], 'POST')).body, 'passed on');
    }));

  it('present a file anew when another mount has it now', async () => {
    const file = join(one.root, 'deep/b');
    equal((await ask(server.port, '/s/deep/b')).header('x-from'), 'two');
    mkdirSync(dirname(file));
    writeFileSync(file, 'one/deep/b');
    const answer = await ask(server.port, '/s/deep/b');
    equal(answer.body, 'one/deep/b');
    equal(answer.header('x-from'), 'one');
  });
});
