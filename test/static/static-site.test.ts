import { deepEqual, equal, match, notEqual, ok } from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdirSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { ask } from '../support/http-client.ts';
import type { HttpAnswer, HttpRequest } from '../support/http-message.ts';
import { suiteLifetime } from '../support/lifetime.ts';
import { serveFiles } from '../support/serve-files.ts';
import type { TestServer } from '../support/serve-handler.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const TEXT = 'abcdefghijklmnopqrstuvwxyz';
const LARGE = Buffer.from(Array.from({ length: 1_500_000 }, (_, i) => (i * 7919) % 251));

describe('static files', () => {
  const suite = suiteLifetime();
  const temporary = temporaryDirectory(suite);
  const root = join(temporary, 'root');
  let server: TestServer;

  before(async () => {
    mkdirSync(join(root, 'sub'), { recursive: true });
    write('a.txt', TEXT);
    write('sub/b.css', 'body {}');
    write('empty.txt', '');
    write('medium.bin', LARGE.subarray(0, 100_000));
    write('large.bin', LARGE);
    server = await serveFiles(suite, [{ urlPrefix: '/static/', directories: [root] }]);
  });

  function write(name: string, content: string | Buffer): void {
    writeFileSync(join(root, name), content);
  }
  function get(target: string, headers: HttpRequest['headers'] = [], method = 'GET'): Promise<HttpAnswer> {
    return ask(server.port, target, { headers, method });
  }

  for (const [name, content] of [
    ['a.txt', Buffer.from(TEXT)],
    ['empty.txt', Buffer.alloc(0)],
    ['medium.bin', LARGE.subarray(0, 100_000)],
    ['large.bin', LARGE],
  ] as const) {
    it(`sends ${name} completely, with validators, for GET`, async () => {
      const answer = await get(`/static/${name}`);
      equal(answer.status, 200);
      equal(answer.whole, true);
      equal(answer.framing, 'length');
      ok(Buffer.from(answer.body, 'latin1').equals(content));
      match(answer.header('etag') ?? '', /^"[\x21\x23-\x7e]+"$/);
      const modified = Math.floor(statSync(join(root, name)).mtimeMs / 1000) * 1000;
      equal(answer.header('last-modified'), new Date(modified).toUTCString());
      equal(answer.header('accept-ranges'), 'bytes');
      equal(answer.header('x-content-type-options'), 'nosniff');
    });

    it(`sends only the same head of ${name} for HEAD`, async () => {
      const [head, whole] = [await get(`/static/${name}`, [], 'HEAD'), await get(`/static/${name}`)];
      equal(head.status, 200);
      equal(head.body, '');
      const fields = ({ headers }: HttpAnswer) => headers.filter(([field]) => field !== 'date');
      deepEqual(fields(head), fields(whole));
      equal(head.header('content-length'), `${content.length}`);
    });

    it(`sends ${name} to a client of HTTP/1.0 with its length`, async () => {
      const answer = await ask(server.port, `/static/${name}`, { version: '1.0' });
      equal(answer.status, 200);
      equal(answer.header('content-length'), `${content.length}`);
      equal(answer.header('transfer-encoding'), null);
      equal(answer.whole, true);
    });
  }

  it('refuses other methods with 405 and lists the allowed methods', async () => {
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS', 'PROPFIND']) {
      const answer = await get('/static/a.txt', [], method);
      equal(answer.status, 405, method);
      equal(answer.header('allow'), 'GET, HEAD');
    }
  });

  it('ignores the query', async () => equal((await get('/static/a.txt?v=2')).body, TEXT));

  it('answers 404 for missing paths and for directories, with and without slash', async () => {
    for (const target of ['nothing', 'sub', 'sub/', '', 'a.txt/', 'a.txt/b', `${'x'.repeat(300)}`]) {
      equal((await get(`/static/${target}`)).status, 404, target);
      equal((await get(`/static/${target}`, [], 'HEAD')).status, 404, target);
    }
  });

  it('passes on paths outside its prefix', async () => {
    for (const target of ['/', '/static', '/staticx/a.txt', '/other/static/a.txt', '//static/a.txt', '/STATIC/a.txt']) {
      equal((await get(target)).body, 'passed on', target);
    }
  });

  it('recognises paths in any encoding', async () => {
    equal((await get('/static/%61.txt')).body, TEXT);
    equal((await get('/st%61tic/a.txt')).body, TEXT);
  });

  it('finds names with spaces, percent signs, letters of any language and plus signs', async () => {
    for (const name of [
      'a b.txt',
      '%41.txt',
      '100%.txt',
      'größe.txt',
      '文件.txt',
      'a+b.txt',
      'q?.txt',
      '#.txt',
      "it's.txt",
    ]) {
      write(name, name);
      const { status, body } = await get(`/static/${encodeURIComponent(name)}`);
      equal(status, 200, name);
      equal(Buffer.from(body, 'latin1').toString(), name);
    }
    equal((await get('/static/%41.txt')).status, 404, '%41 is A, not the file named %41');
  });

  describe('conditions', () => {
    it('result in a 304 with the tag, without content and its fields', async () => {
      for (const name of ['a.txt', 'large.bin']) {
        const etag = (await get(`/static/${name}`)).header('etag') ?? '';
        for (const method of ['GET', 'HEAD']) {
          const answer = await get(`/static/${name}`, [['If-None-Match', `"x", W/${etag}`]], method);
          equal(answer.status, 304);
          equal(answer.body, '');
          equal(answer.header('etag'), etag);
          equal(answer.header('content-type'), null);
          equal(answer.header('content-length'), null);
          ok(answer.header('date') !== null);
        }
      }
    });

    it('by date result in a 304, and in a 200 when the date is invalid or If-None-Match is present', async () => {
      const date = (await get('/static/a.txt')).header('last-modified') ?? '';
      equal((await get('/static/a.txt', [['If-Modified-Since', date]])).status, 304);
      equal((await get('/static/a.txt', [['If-Modified-Since', 'now']])).status, 200);
      const both = [['If-None-Match', '"x"'] as const, ['If-Modified-Since', date] as const];
      equal((await get('/static/a.txt', both)).status, 200);
    });

    it('result in a 412 when they fail', async () => {
      equal((await get('/static/a.txt', [['If-Match', '"x"']])).status, 412);
      equal((await get('/static/a.txt', [['If-Unmodified-Since', 'Sun, 06 Nov 1994 08:49:37 GMT']])).status, 412);
    });

    it('do not change a 404', async () => {
      equal((await get('/static/nothing', [['If-None-Match', '*']])).status, 404);
      equal((await get('/static/nothing', [['If-Match', '"x"']])).status, 404);
    });
  });

  describe('ranges', () => {
    it('result in a 206 with Content-Range and exactly these bytes', async () => {
      const answer = await get('/static/a.txt', [['Range', 'bytes=2-4']]);
      equal(answer.status, 206);
      equal(answer.header('content-range'), 'bytes 2-4/26');
      equal(answer.header('content-length'), '3');
      equal(answer.header('etag'), (await get('/static/a.txt')).header('etag'));
      equal(answer.body, 'cde');
      const end = await get('/static/large.bin', [['Range', 'bytes=-700000']]);
      equal(end.header('content-range'), 'bytes 800000-1499999/1500000');
      ok(Buffer.from(end.body, 'latin1').equals(LARGE.subarray(800_000)));
    });

    it('result in a 416 with the size when none is satisfiable', async () => {
      const answer = await get('/static/a.txt', [['Range', 'bytes=26-']]);
      equal(answer.status, 416);
      equal(answer.header('content-range'), 'bytes */26');
    });

    it('are ignored for HEAD, and when they are malformed or of another unit', async () => {
      const head = await get('/static/a.txt', [['Range', 'bytes=2-4']], 'HEAD');
      equal(head.status, 200);
      equal(head.header('content-length'), '26');
      equal((await get('/static/a.txt', [['Range', 'bytes=4-2']])).status, 200);
      equal((await get('/static/a.txt', [['Range', 'lines=1-2']])).status, 200);
    });

    it('apply with If-Range only when it names this version', async () => {
      const { header } = await get('/static/a.txt');
      const status = async (ifRange: string) =>
        (
          await get('/static/a.txt', [
            ['Range', 'bytes=2-4'],
            ['If-Range', ifRange],
          ])
        ).status;
      equal(await status(header('etag') ?? ''), 206);
      equal(await status(header('last-modified') ?? ''), 206);
      equal(await status('"x"'), 200);
      equal(await status(`W/${header('etag')}`), 200);
      equal(await status('Sun, 06 Nov 1994 08:49:37 GMT'), 200);
    });

    it('are evaluated after the conditions: 304 and 412 take precedence', async () => {
      const range = ['Range', 'bytes=2-4'] as const;
      equal((await get('/static/a.txt', [range, ['If-None-Match', '*']])).status, 304);
      equal((await get('/static/a.txt', [range, ['If-Match', '"x"']])).status, 412);
    });

    for (const [name, content] of [
      ['a.txt', Buffer.from(TEXT)],
      ['large.bin', LARGE],
    ] as const) {
      it(`result in multipart/byteranges when several parts of ${name} are requested, in the requested order`, async () => {
        const answer = await get(`/static/${name}`, [['Range', 'bytes=-2,0-1,5-9']]);
        equal(answer.status, 206);
        equal(answer.whole, true);
        equal(answer.header('content-range'), null);
        const boundary = /^multipart\/byteranges; boundary=(\S+)$/.exec(answer.header('content-type') ?? '')?.[1];
        const parts = answer.body.split(`\r\n--${boundary}`);
        equal(parts.shift(), '');
        equal(parts.pop(), '--\r\n');
        const size = content.length;
        const type = name === 'a.txt' ? 'text/plain; charset=utf-8' : 'application/octet-stream';
        const part = (first: number, last: number) =>
          `\r\nContent-Type: ${type}\r\nContent-Range: bytes ${first}-${last}/${size}\r\n\r\n${content.toString('latin1', first, last + 1)}`;
        deepEqual(parts, [part(size - 2, size - 1), part(0, 1), part(5, 9)]);
      });
    }

    it('are merged when several parts overlap', async () => {
      const answer = await get('/static/a.txt', [['Range', 'bytes=0-5,3-9']]);
      equal(answer.header('content-range'), 'bytes 0-9/26');
      equal(answer.body, 'abcdefghij');
    });

    it('are ignored when there are too many', async () => {
      const many = Array.from({ length: 100 }, (_, i) => `${i * 3}-${i * 3}`).join(',');
      equal((await get('/static/large.bin', [['Range', `bytes=${many}`]])).status, 200);
    });
  });

  describe('media types', () => {
    for (const [name, type] of [
      ['a.html', 'text/html; charset=utf-8'],
      ['a.css', 'text/css; charset=utf-8'],
      ['a.js', 'text/javascript; charset=utf-8'],
      ['a.mjs', 'text/javascript; charset=utf-8'],
      ['A.TXT', 'text/plain; charset=utf-8'],
      ['a.csv', 'text/csv; charset=utf-8'],
      ['a.json', 'application/json'],
      ['a.map', 'application/json'],
      ['a.svg', 'image/svg+xml'],
      ['a.png', 'image/png'],
      ['a.webp', 'image/webp'],
      ['a.avif', 'image/avif'],
      ['a.woff2', 'font/woff2'],
      ['a.wasm', 'application/wasm'],
      ['a.pdf', 'application/pdf'],
      ['a.webmanifest', 'application/manifest+json'],
      ['a.mp4', 'video/mp4'],
      ['a.tar.gz', 'application/gzip'],
      ['a.unknown', 'application/octet-stream'],
      ['LICENSE', 'application/octet-stream'],
    ] as const) {
      it(`of ${name} is ${type}`, async () => {
        write(name, 'x');
        equal((await get(`/static/${name}`)).header('content-type'), type);
      });
    }
  });

  describe('caches', () => {
    it('may keep files that are named after their content, and must revalidate all other files', async () => {
      const content = 'body { color: red }';
      const hash = createHash('md5').update(content).digest('hex').slice(0, 12);
      write(`site.${hash}.css`, content);
      write('report.123456789012.css', content);
      equal((await get(`/static/site.${hash}.css`)).header('cache-control'), 'public, max-age=31536000, immutable');
      equal((await get('/static/report.123456789012.css')).header('cache-control'), 'no-cache');
      equal((await get('/static/a.txt')).header('cache-control'), 'no-cache');
    });

    it('get the same tag for the same content and a different tag for different content, whatever the time of the file', async () => {
      write('one.txt', 'same length A');
      write('two.txt', 'same length A');
      write('three.txt', 'same length B');
      for (const name of ['one.txt', 'two.txt', 'three.txt']) utimesSync(join(root, name), 1000, 1000);
      const [one, two, three] = await Promise.all(
        ['one.txt', 'two.txt', 'three.txt'].map(async (name) => (await get(`/static/${name}`)).header('etag')),
      );
      equal(one, two);
      notEqual(one, three);
    });

    it('get no modification date in the future', async () => {
      write('future.txt', 'x');
      utimesSync(join(root, 'future.txt'), 4e9, 4e9);
      const answer = await get('/static/future.txt', [['If-Modified-Since', new Date(4.1e12).toUTCString()]]);
      equal(answer.status, 200);
      equal(answer.header('last-modified'), null);
    });
  });
});
