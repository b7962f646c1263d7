import { equal, notEqual } from 'node:assert/strict';
import { chmodSync, mkdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { ask } from '../support/http-client.ts';
import type { HttpAnswer, HttpRequest } from '../support/http-message.ts';
import { suiteLifetime } from '../support/lifetime.ts';
import { NO_NGINX, nginxSocket, startNginx } from '../support/nginx.ts';
import { serveFiles } from '../support/serve-files.ts';
import type { TestServer } from '../support/serve-handler.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const TEXT = 'abcdefghij'.repeat(100);
const GZIP = gzipSync(TEXT);

const GZIP_TAKEN = [['Accept-Encoding', 'gzip'] as const];

/**
 * `[target, request]`: for these, both servers must answer with the same status, redirect target, coding, range and
 * content.
 */
const SAME: readonly (readonly [string, HttpRequest?])[] = [
  ['/s/a.txt'],
  ['/s/a.txt', { method: 'HEAD' }],
  ['/s/a.txt', { method: 'POST', body: '' }],
  ['/s/a.txt?x=1'],
  ['/s/nothing'],
  ['/s/'],
  ['/s/sub/'],
  ['/s/sub/?x=1'],
  ['/s/sub'],
  ['/s/sub?x=1&y=%2F'],
  ['/s/sub', { method: 'HEAD' }],
  ['/s/s%75b'],
  ['/s/a%20b'],
  ['/s/a%20b/'],
  ['/s/sub/index.html'],
  ['/s/a.txt/'],
  ['/s/a.txt/b'],
  ['/s/%61.txt'],
  ['/s/.env'],
  ['/s/.git/config'],
  ['/s/.well-known/security.txt'],
  ['/s/a.txt', { headers: GZIP_TAKEN }],
  ['/s/a.txt', { headers: [['Accept-Encoding', 'gzip;q=0']] }],
  ['/s/a.txt', { headers: [['Accept-Encoding', 'deflate']] }],
  ['/s/a.txt.gz', { headers: GZIP_TAKEN }],
  ['/s/sub/', { headers: GZIP_TAKEN }],
  ['/s/a.txt', { headers: [['Range', 'bytes=2-5']] }],
  ['/s/a.txt', { headers: [['Range', 'bytes=-5']] }],
  ['/s/a.txt', { headers: [['Range', 'bytes=5000-']] }],
  ['/s/a.txt', { headers: [['Range', 'lines=1-2']] }],
  [
    '/s/a.txt',
    {
      headers: [
        ['Range', 'bytes=2-5'],
        ['If-Range', '"x"'],
      ],
    },
  ],
  ['/s/a.txt', { headers: [['If-None-Match', '*']] }],
  ['/s/a.txt', { headers: [['If-None-Match', '"x"']] }],
  ['/s/a.txt', { headers: [['If-Match', '"x"']] }],
  ['/s/a.txt', { headers: [['If-Modified-Since', 'Sun, 09 Sep 2001 01:46:40 GMT']] }],
  ['/s/a.txt', { headers: [['If-Unmodified-Since', 'Sun, 09 Sep 2000 01:46:40 GMT']] }],
  ['/spa/'],
  ['/spa/users/12'],
  ['/spa/users/12/'],
  ['/spa/users/12?x=1'],
  ['/spa/a.txt'],
  ['/spa/sub/'],
  ['/spa/users', { method: 'POST', body: '' }],
  ['/try/about'],
  ['/try/about.html'],
  ['/try/about/'],
  ['/try/sub'],
  ['/try/nothing'],
  ['/try/a.txt'],
];

describe('static files compared with nginx', { skip: NO_NGINX }, () => {
  const suite = suiteLifetime();
  const directory = temporaryDirectory(suite);
  const root = join(directory, 'root');
  let server: TestServer;

  before(async () => {
    chmodSync(directory, 0o755);
    for (const name of ['sub', 'none', 'a b', '.git', '.well-known']) mkdirSync(join(root, name), { recursive: true });
    for (const [name, content] of [
      ['index.html', 'top'],
      ['a.txt', TEXT],
      ['a.txt.gz', GZIP],
      ['sub/index.html', 'sub'],
      ['sub/index.html.gz', gzipSync('sub')],
      ['a b/index.html', 'space'],
      ['about.html', 'about'],
      ['none/b.txt', 'b'],
      ['.env', 'secret'],
      ['.git/config', 'secret'],
      ['.well-known/security.txt', 'contact'],
    ] as const) {
      writeFileSync(join(root, name), content);
      utimesSync(join(root, name), 1e9, 1e9);
    }
    const common = { directories: [root], precompressed: ['gzip'], index: ['index.html'] } as const;
    server = await serveFiles(suite, [
      { ...common, urlPrefix: '/s/' },
      { ...common, urlPrefix: '/spa/', fallback: 'index.html' },
      { ...common, urlPrefix: '/try/', index: [], tryFiles: ['{path}', '{path}.html', '{path}/index.html'] },
    ]);
    mkdirSync(join(directory, 'links'));
    for (const name of ['spa', 'try']) symlinkSync(root, join(directory, 'links', name));
    await startNginx(suite, directory, configuration(root));
  });

  async function both(target: string, request?: HttpRequest): Promise<[HttpAnswer, HttpAnswer]> {
    return [await ask(server.port, target, request), await ask(nginxSocket(directory), target, request)];
  }

  for (const [target, request] of SAME) {
    const fields = (request?.headers ?? []).map((field) => field.join(': ')).join(', ');
    it(`are the same for ${request?.method ?? 'GET'} ${target}${fields === '' ? '' : `, ${fields}`}`, async () => {
      const [ours, theirs] = await both(target, request);
      equal(ours.status, theirs.status);
      for (const field of ['location', 'content-encoding', 'content-range'])
        equal(ours.header(field), theirs.header(field), field);
      if (ours.status < 300) {
        equal(ours.header('content-length'), theirs.header('content-length'));
        equal(ours.body, theirs.body);
      }
    });
  }

  it('have the same date, and a different tag for each coding', async () => {
    const [ours, theirs] = await both('/s/a.txt');
    equal(ours.header('last-modified'), theirs.header('last-modified'));
    const encoded = await ask(server.port, '/s/a.txt', { headers: GZIP_TAKEN });
    notEqual(encoded.header('etag'), ours.header('etag'));
  });

  it('differ where nginx reveals a directory without an index, normalises paths, and has no ranges of encoded files', async () => {
    const part = { headers: [...GZIP_TAKEN, ['Range', 'bytes=2-5'] as const] };
    const differences: readonly (readonly [string, number, number, HttpRequest?])[] = [
      ['/s/a.txt', 206, 200, part],
      ['/try/../../etc/passwd', 404, 400],
      ['/s/..%2f..%2fetc/passwd', 404, 400],
      ['/s/none/', 404, 403],
      ['/s/none', 404, 301],
      ['/s//a.txt', 404, 200],
      ['/s/sub/../a.txt', 404, 200],
    ];
    for (const [target, our, their, request] of differences) {
      const [ours, theirs] = await both(target, request);
      equal(ours.status, our, target);
      equal(theirs.status, their, target);
    }
  });
});

/** The http block of the same site; `DIR/links` makes the root look like the prefixes, as `try_files` needs it. */
function configuration(root: string): string {
  return `
  types { text/plain txt; text/html html; application/gzip gz; }
  absolute_redirect off;
  gzip_static on;
  gzip_vary on;
  index index.html;
  server {
    listen unix:DIR/nginx.sock;
    location ~ /\\.(?!well-known/) { return 404; }
    location /s/ { alias ${root}/; }
    location /spa/ { root DIR/links; try_files $uri $uri/ /spa/index.html; }
    location /try/ { root DIR/links; try_files $uri $uri.html $uri/index.html =404; }
  }`;
}
