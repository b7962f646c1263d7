import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { mkdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { ask } from '../support/http-client.ts';
import type { HttpAnswer } from '../support/http-message.ts';
import { suiteLifetime } from '../support/lifetime.ts';
import { serveFiles } from '../support/serve-files.ts';
import type { TestServer } from '../support/serve-handler.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const ODD_NAMES = [
  'a b.txt',
  '100%.txt',
  '%41.txt',
  '#top.txt',
  'what?.txt',
  'größe.txt',
  '文件.txt',
  '😀.txt',
  "it's.txt",
  'javascript:alert(1)',
  '<script>alert(1)</script>'.replace('/', '\u2215'),
  '"onmouseover="alert(1)',
  '&lt;b&gt;.txt',
  'x=y&z;.txt',
];

describe('a listing of a static directory', () => {
  const suite = suiteLifetime();
  const temporary = temporaryDirectory(suite);
  const root = join(temporary, 'root');
  let server: TestServer;

  before(async () => {
    mkdirSync(join(root, 'sub/deeper'), { recursive: true });
    mkdirSync(join(root, 'indexed'));
    mkdirSync(join(root, 'odd'));
    mkdirSync(join(temporary, 'outside'));
    writeFileSync(join(root, 'indexed/index.html'), 'index');
    writeFileSync(join(root, 'b.txt'), 'x'.repeat(1536));
    writeFileSync(join(root, 'a.txt'), 'x');
    utimesSync(join(root, 'a.txt'), 1e9, 1e9);
    writeFileSync(join(root, '.hidden'), 'x');
    symlinkSync('a.txt', join(root, 'inside'));
    symlinkSync('../outside', join(root, 'outside'));
    symlinkSync('/etc/passwd', join(root, 'passwd'));
    for (const name of ODD_NAMES) writeFileSync(join(root, 'odd', name), name);
    if (process.platform === 'linux') {
      writeFileSync(Buffer.concat([Buffer.from(join(root, 'odd/')), Buffer.of(0x62, 0xff, 0x20)]), 'bytes');
    }
    server = await serveFiles(suite, [
      { urlPrefix: '/s/', directories: [root], listing: true, index: ['index.html'], headers: ['X-Mount', 's'] },
    ]);
  });

  function get(path: string, accept = 'text/html', method = 'GET'): Promise<HttpAnswer> {
    return ask(server.port, `/s/${path}`, { headers: [['Accept', accept]], method });
  }
  const hrefs = ({ body }: HttpAnswer) => Array.from(body.matchAll(/href="([^"]*)"/g), ([, href]) => href ?? '');
  const decoded = (href: string) => href.replace(/&#(\d+);/g, (_, code) => String.fromCharCode(Number(code)));

  it('shows directories first, sorted by name, with sizes and dates, without hidden entries or links that lead out', async () => {
    const answer = await get('');
    equal(answer.status, 200);
    equal(answer.header('content-type'), 'text/html; charset=utf-8');
    equal(answer.header('cache-control'), 'no-cache');
    equal(answer.header('vary'), 'Accept');
    equal(answer.header('x-mount'), 's');
    deepEqual(hrefs(answer), ['../', './indexed/', './odd/', './sub/', './a.txt', './b.txt', './inside']);
    match(
      answer.body,
      /a\.txt<\/a><\/td><td>1 B<\/td><td><time datetime="2001-09-09T01:46:40\.000Z">2001-09-09 01:46</,
    );
    match(answer.body, /b\.txt<\/a><\/td><td>1\.5 KiB</);
    equal((await get('', 'text/html', 'HEAD')).header('content-length'), `${answer.body.length}`);
  });

  it('is JSON for clients that prefer JSON', async () => {
    const answer = await get('sub/', 'application/json');
    equal(answer.header('content-type'), 'application/json');
    const { path, truncated, entries } = JSON.parse(answer.body);
    deepEqual([path, truncated, entries.length], ['/s/sub/', false, 1]);
    deepEqual([entries[0].name, entries[0].type, entries[0].href], ['deeper', 'directory', './deeper/']);
    const files = JSON.parse((await get('', 'application/json')).body).entries;
    deepEqual(files[3], {
      name: 'a.txt',
      type: 'file',
      size: 1,
      modified: '2001-09-09T01:46:40.000Z',
      href: './a.txt',
    });
    match((await get('', 'text/html, application/json')).body, /^<!DOCTYPE html>/);
    match((await get('', '*/*')).body, /^<!DOCTYPE html>/);
  });

  it('is replaced by an index, and is reached by a redirect', async () => {
    equal((await get('indexed/')).body, 'index');
    const answer = await get('sub');
    equal(answer.status, 301);
    equal(answer.header('location'), '/s/sub/');
  });

  it('is missing when the path is not a directory, is hidden, or leads out', async () => {
    mkdirSync(join(root, '.git'));
    for (const path of [
      'a.txt/',
      'nothing/',
      '.git/',
      'outside/',
      'outside',
      'sub//',
      '../',
      '%2e%2e/',
      '..%2f',
      'sub/../',
    ])
      equal((await get(path)).status, 404, path);
  });

  it('links to files with any name, and lets no name become markup', async () => {
    const answer = await get('odd/');
    const links = hrefs(answer).map(decoded).slice(1);
    const expected = process.platform === 'linux' ? [...ODD_NAMES, 'bytes'] : ODD_NAMES;
    const bodies: string[] = [];
    for (const link of links) {
      equal(new URL(link, 'http://test.example/s/odd/').host, 'test.example');
      const target = new URL(link, 'http://test.example/s/odd/').pathname;
      const file = await ask(server.port, target);
      equal(file.status, 200, target);
      bodies.push(Buffer.from(file.body, 'latin1').toString());
    }
    deepEqual(bodies.sort(), [...expected].sort());
    ok(!/<script|<b>|"on/i.test(answer.body.replace(/<style>.*<\/style>/s, '')));
    match(answer.header('content-security-policy') ?? '', /default-src 'none'/);
    const json = JSON.parse(Buffer.from((await get('odd/', 'application/json')).body, 'latin1').toString());
    deepEqual(
      json.entries.map(({ href }: { href: string }) => href),
      links,
    );
  });

  it('keeps bytes that are not UTF-8 in the link', {
    skip: process.platform !== 'linux' && 'the file system takes only UTF-8',
  }, async () => {
    const answer = await get('odd/');
    ok(hrefs(answer).includes('./b%FF%20'));
    ok(Buffer.from(answer.body, 'latin1').toString().includes('>b\ufffd <'));
  });

  it('escapes the name of the directory itself', async () => {
    mkdirSync(join(root, '<img src=x onerror=alert(1)>'));
    const answer = await get(`${encodeURIComponent('<img src=x onerror=alert(1)>')}/`);
    equal(answer.status, 200);
    ok(!answer.body.includes('<img'));
  });

  it('ends after 2000 entries, with a note', async () => {
    mkdirSync(join(root, 'many'));
    for (let i = 0; i < 2005; i += 1) writeFileSync(join(root, 'many', `${i}`), '');
    const answer = await get('many/');
    equal(hrefs(answer).length, 2001);
    match(answer.body, /Only the first 2000 entries/);
    equal(JSON.parse((await get('many/', 'application/json')).body).truncated, true);
  });

  it('exists only where it is configured', async () => {
    const other = await serveFiles(suite, [{ urlPrefix: '/s/', directories: [root], index: ['index.html'] }]);
    equal((await ask(other.port, '/s/sub/')).status, 404);
    equal((await ask(other.port, '/s/sub')).status, 404);
  });
});
