import { deepEqual, equal, notEqual, ok } from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { rmSync, statSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, it } from 'node:test';
import { brotliCompressSync, brotliDecompressSync, gunzipSync, gzipSync } from 'node:zlib';
import { ask } from '../support/http-client.ts';
import type { HttpAnswer } from '../support/http-message.ts';
import { eachTestLifetime } from '../support/lifetime.ts';
import { serveFiles } from '../support/serve-files.ts';
import type { TestServer } from '../support/serve-handler.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { eventually } from '../support/wait.ts';

const TEXT = 'body { color: red } '.repeat(100);
const BROTLI = brotliCompressSync(TEXT);
const GZIP = gzipSync(TEXT);
const OLD = 1_600_000_000;
/** The value that browsers send. */
const BROWSER = 'gzip, deflate, br, zstd';

describe('precompressed static files', () => {
  let root: string;
  const eachTest = eachTestLifetime();
  let server: TestServer;

  beforeEach(async () => {
    root = temporaryDirectory(eachTest);
    write('a.css', TEXT);
    write('a.css.br', BROTLI);
    write('a.css.gz', GZIP);
    write('plain.css', TEXT);
    server = await start(0);
  });

  function start(revalidateMs: number): Promise<TestServer> {
    return serveFiles(eachTest, [{ urlPrefix: '/s/', directories: [root], precompressed: ['br', 'zstd', 'gzip'] }], {
      revalidateMs,
    });
  }
  function write(name: string, content: string | Buffer, seconds = OLD): void {
    writeFileSync(join(root, name), content);
    utimesSync(join(root, name), seconds, seconds);
  }
  function get(
    name: string,
    encoding: string | null,
    headers: readonly (readonly [string, string])[] = [],
    method = 'GET',
  ): Promise<HttpAnswer> {
    const accept = encoding === null ? [] : [['Accept-Encoding', encoding] as const];
    return ask(server.port, `/s/${name}`, { headers: [...accept, ...headers], method });
  }
  async function coding(name: string, encoding: string | null): Promise<string | null> {
    return (await get(name, encoding)).header('content-encoding');
  }

  it("are sent in the client's preferred coding, and between equal codings in the server's", async () => {
    for (const [encoding, expected] of [
      [BROWSER, 'br'],
      ['gzip', 'gzip'],
      ['x-gzip', 'gzip'],
      ['GZIP', 'gzip'],
      ['br;q=0.5, gzip;q=0.8', 'gzip'],
      ['br;q=0, gzip;q=0.1', 'gzip'],
      ['gzip;q=0.5, identity', null],
      ['*', 'br'],
      ['br;q=0, *', 'gzip'],
      ['zstd', null],
      ['deflate', null],
      ['identity', null],
      ['br;q=0', null],
      ['', null],
      [null, null],
    ] as const)
      equal(await coding('a.css', encoding), expected, `${encoding}`);
  });

  it('have the content, length and type of the original when decoded, and their own tag', async () => {
    const [brotli, gzip, plain] = [await get('a.css', 'br'), await get('a.css', 'gzip'), await get('a.css', null)];
    equal(brotliDecompressSync(Buffer.from(brotli.body, 'latin1')).toString(), TEXT);
    equal(gunzipSync(Buffer.from(gzip.body, 'latin1')).toString(), TEXT);
    equal(plain.body, TEXT);
    equal(brotli.header('content-length'), `${BROTLI.length}`);
    for (const answer of [brotli, gzip, plain]) {
      equal(answer.header('content-type'), 'text/css; charset=utf-8');
      equal(answer.header('vary'), 'Accept-Encoding');
      equal(answer.header('cache-control'), 'no-cache');
    }
    equal(new Set([brotli, gzip, plain].map(({ header }) => header('etag'))).size, 3);
    const head = await get('a.css', 'br', [], 'HEAD');
    const fields = ({ headers }: HttpAnswer) => headers.filter(([field]) => field !== 'date');
    deepEqual(fields(head), fields(brotli));
  });

  it('may be zstd', async () => {
    write('a.css.zst', 'stands for zstd');
    const answer = await get('a.css', 'gzip, zstd');
    equal(answer.header('content-encoding'), 'zstd');
    equal(answer.body, 'stands for zstd');
    equal(await coding('a.css', BROWSER), 'br');
  });

  it('do not add Vary to a file without encoded variants', async () => {
    const answer = await get('plain.css', BROWSER);
    equal(answer.body, TEXT);
    equal(answer.header('vary'), null);
    equal(answer.header('content-encoding'), null);
  });

  it('are compared with conditions by their own tags', async () => {
    const [brotli, plain] = [await get('a.css', 'br'), await get('a.css', null)];
    const none = (answer: HttpAnswer) => [['If-None-Match', answer.header('etag') ?? ''] as const];
    const same = await get('a.css', 'br', none(brotli));
    equal(same.status, 304);
    equal(same.header('vary'), 'Accept-Encoding');
    equal(same.header('etag'), brotli.header('etag'));
    equal((await get('a.css', 'br', none(plain))).status, 200);
    equal((await get('a.css', null, none(brotli))).status, 200);
    equal((await get('a.css', null, none(plain))).status, 304);
    equal((await get('a.css', 'br', [['If-Match', plain.header('etag') ?? '']])).status, 412);
    equal((await get('a.css', 'br', [['If-Modified-Since', brotli.header('last-modified') ?? '']])).status, 304);
  });

  it('are the base of ranges', async () => {
    const answer = await get('a.css', 'gzip', [['Range', 'bytes=2-9']]);
    equal(answer.status, 206);
    equal(answer.header('content-encoding'), 'gzip');
    equal(answer.header('content-range'), `bytes 2-9/${GZIP.length}`);
    equal(answer.header('content-type'), 'text/css; charset=utf-8');
    equal(answer.header('vary'), 'Accept-Encoding');
    equal(answer.body, GZIP.toString('latin1', 2, 10));
    equal((await get('a.css', 'gzip', [['Range', `bytes=${GZIP.length}-`]])).status, 416);
    const plain = await get('a.css', null, [['Range', `bytes=${GZIP.length}-`]]);
    equal(plain.status, 206);
    const ifRange = [
      ['Range', 'bytes=0-0'],
      ['If-Range', (await get('a.css', null)).header('etag') ?? ''],
    ] as const;
    equal((await get('a.css', 'gzip', ifRange)).status, 200, 'the tag of the other representation');
    equal((await get('a.css', null, ifRange)).status, 206);
    const several = await get('a.css', 'gzip', [['Range', 'bytes=0-1,5-6']]);
    equal(several.header('content-encoding'), 'gzip');
    ok(several.body.includes(GZIP.toString('latin1', 5, 7)));
  });

  it('are ordinary files when requested by their own name', async () => {
    const answer = await get('a.css.gz', BROWSER);
    equal(answer.header('content-encoding'), null);
    equal(answer.header('content-type'), 'application/gzip');
    equal(answer.header('vary'), null);
    ok(Buffer.from(answer.body, 'latin1').equals(GZIP));
    equal((await get('a.css.br', null)).status, 200);
  });

  it('are not used when they are older than the original, or when the original is missing', async () => {
    write('a.css', `${TEXT}new`, OLD + 1);
    const answer = await get('a.css', BROWSER);
    equal(answer.header('content-encoding'), null);
    equal(answer.header('vary'), null);
    equal(answer.body, `${TEXT}new`);
    write('a.css.gz', gzipSync(`${TEXT}new`), OLD + 2);
    equal(await coding('a.css', BROWSER), 'gzip');
    write('lonely.css.gz', GZIP);
    equal((await get('lonely.css', 'gzip')).status, 404);
  });

  it('are noticed when they are added or removed', async () => {
    equal(await coding('plain.css', 'gzip'), null);
    write('plain.css.gz', GZIP);
    equal(await coding('plain.css', 'gzip'), 'gzip');
    const before = (await get('plain.css', 'gzip')).header('etag');
    write('plain.css.gz', gzipSync(TEXT, { level: 1 }));
    notEqual((await get('plain.css', 'gzip')).header('etag'), before);
    rmSync(join(root, 'plain.css.gz'));
    const answer = await get('plain.css', 'gzip');
    equal(answer.header('content-encoding'), null);
    equal(answer.header('vary'), null);
    equal(answer.body, TEXT);
  });

  it('are skipped when they lead out of the directory or are not files', async () => {
    const outside = temporaryDirectory(eachTest);
    writeFileSync(join(outside, 'secret'), 'secret');
    rmSync(join(root, 'a.css.br'));
    symlinkSync(join(outside, 'secret'), join(root, 'a.css.br'));
    const answer = await get('a.css', 'br');
    equal(answer.status, 200);
    equal(answer.body, TEXT);
  });

  it('are immutable when the original is', async () => {
    const hash = createHash('md5').update(TEXT).digest('hex').slice(0, 12);
    write(`a.${hash}.css`, TEXT);
    write(`a.${hash}.css.br`, BROTLI);
    const answer = await get(`a.${hash}.css`, 'br');
    equal(answer.header('content-encoding'), 'br');
    equal(answer.header('cache-control'), 'public, max-age=31536000, immutable');
  });

  it('are sent when one or both files are too large for memory', async () => {
    const large = Buffer.from(Array.from({ length: 1_300_000 }, (_, i) => (i * 7919) % 251));
    write('large.bin', large);
    for (const encoded of [gzipSync(large), gzipSync(large, { level: 0 })]) {
      write('large.bin.gz', encoded);
      for (let i = 0; i < 3; i += 1) {
        const answer = await get('large.bin', 'gzip');
        equal(answer.header('content-length'), `${encoded.length}`);
        ok(gunzipSync(Buffer.from(answer.body, 'latin1')).equals(large));
        ok(Buffer.from((await get('large.bin', null)).body, 'latin1').equals(large));
      }
    }
    rmSync(join(root, 'large.bin.gz'));
    symlinkSync('/etc/hostname', join(root, 'large.bin.gz'));
    ok(Buffer.from((await get('large.bin', 'gzip')).body, 'latin1').equals(large));
  });

  it('come from memory, and changes are noticed within a second', async () => {
    const slow = await start(1000);
    const ofSlow = () => ask(slow.port, '/s/a.css', { headers: [['Accept-Encoding', 'gzip']] });
    equal((await ofSlow()).header('content-encoding'), 'gzip');
    const changed = gzipSync('changed');
    write('a.css.gz', changed, statSync(join(root, 'a.css')).mtimeMs / 1000 + 5);
    await eventually('the change is visible', async () => (await ofSlow()).body === changed.toString('latin1'));
    write('a.css', 'newer', OLD + 10);
    await eventually('the original is visible', async () => (await ofSlow()).body === 'newer');
  });

  it('are ignored by a mount without the option', async () => {
    const other = await serveFiles(eachTest, [{ urlPrefix: '/s/', directories: [root] }]);
    const answer = await ask(other.port, '/s/a.css', { headers: [['Accept-Encoding', BROWSER]] });
    equal(answer.header('content-encoding'), null);
    equal(answer.header('vary'), null);
  });
});
