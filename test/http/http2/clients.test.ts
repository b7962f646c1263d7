import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, type SecureClientSessionOptions } from 'node:http2';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import type { Request } from '../../../src/http/message.ts';
import { Response } from '../../../src/http/response.ts';
import { NO_BROWSER, openBrowser } from '../../support/browser.ts';
import { hostWith } from '../../support/certificates.ts';
import { suiteLifetime } from '../../support/lifetime.ts';
import { missing } from '../../support/peer.ts';
import { serveHandler, type TestServer } from '../../support/serve-handler.ts';

const run = promisify(execFile);
const TIMEOUT = { timeout: 60_000, maxBuffer: 64_000_000 };

describe('HTTP/2 with real clients', () => {
  const directory = mkdtempSync(join(tmpdir(), 'viaduct-test-'));
  const suite = suiteLifetime();
  let server: TestServer;
  let seen: Request | null = null;

  before(async () => {
    server = await serveHandler(suite, handle, { protocol: 'HTTP/2' });
  });
  after(() => rmSync(directory, { recursive: true }));

  function handle(request: Request) {
    seen = request;
    const { body } = request;
    if (request.path === '/large') return Response.fromHeaders(200, [], Buffer.alloc(5_000_000, 'x'));
    if (body === null) return Response.text(200, 'Hello, World!\n');
    if (request.path === '/unread') return Response.text(403, 'not read\n');
    return new Promise<Response>((resolve, reject) => {
      let bytes = 0;
      const write = (block: Uint8Array) => {
        bytes += block.length;
      };
      body.start({ write, end: () => resolve(Response.text(200, `${bytes} bytes\n`)), fail: reject });
    });
  }

  const url = (path: string) => `http://127.0.0.1:${server.port}${path}`;

  it('serves curl, which also sends a large file', { skip: missing('curl') }, async () => {
    const format = ['-s', '--http2-prior-knowledge', '-w', '%{http_version} %{http_code}'];
    const { stdout } = await run('curl', [...format, url('/a?b=c')], TIMEOUT);
    assert.equal(stdout, 'Hello, World!\n2 200');
    assert.equal(seen?.query, 'b=c');
    const file = join(directory, 'upload');
    writeFileSync(file, Buffer.alloc(7_000_000, 'u'));
    const upload = await run('curl', [...format, '-T', file, url('/upload')], TIMEOUT);
    assert.equal(upload.stdout, '7000000 bytes\n2 200');
    assert.equal(seen?.method, 'PUT');
    const large = await run('curl', [...format, url('/large')], TIMEOUT);
    assert.equal(large.stdout.length, 5_000_000 + '2 200'.length);
  });

  it('gives curl the response to a large file that nobody reads, or that is too large', {
    skip: missing('curl'),
  }, async () => {
    const small = await serveHandler(suite, handle, { protocol: 'HTTP/2', limits: { bodyBytesMax: 1_000_000 } });
    const file = join(directory, 'unwanted');
    writeFileSync(file, Buffer.alloc(7_000_000, 'u'));
    const format = ['-s', '--http2-prior-knowledge', '-w', '%{http_code}', '-T', file];
    const unread = await run('curl', [...format, url('/unread')], TIMEOUT);
    assert.equal(unread.stdout, 'not read\n403');
    for (const chunked of [[], ['-H', 'Content-Length:']]) {
      const target = `http://127.0.0.1:${small.port}/`;
      const { stdout } = await run('curl', [...format, ...chunked, target], TIMEOUT);
      assert.match(stdout, /413$/);
    }
  });

  it('answers several concurrent requests of nghttp', { skip: missing('nghttp') }, async () => {
    const args = ['--no-dep', '-s', '-n', url('/one'), url('/two'), url('/large')];
    const { stdout } = await run('nghttp', args, TIMEOUT);
    assert.deepEqual(
      stdout
        .match(/ 200 .*/g)
        ?.map((line) => line.trim().split(/\s+/).at(-1))
        .sort(),
      ['/large', '/one', '/two'],
    );
  });

  it('receives content with trailers from nghttp', { skip: missing('nghttp') }, async () => {
    const file = join(directory, 'content');
    writeFileSync(file, 'content');
    const { stdout } = await run('nghttp', ['-d', file, '--trailer', 'x-sum: 42', url('/trailers')], TIMEOUT);
    assert.match(stdout, /7 bytes/);
    assert.deepEqual(seen?.body?.trailers, ['x-sum', '42']);
  });

  it('answers 2000 requests of h2load on 10 connections', { skip: missing('h2load') }, async () => {
    const { stdout } = await run('h2load', ['-n', '2000', '-c', '10', '-m', '10', url('/')], TIMEOUT);
    assert.match(stdout, /2000 succeeded, 0 failed, 0 errored, 0 timeout/);
    assert.match(stdout, /status codes: 2000 2xx/);
  });

  it('sends large responses to h2load through small windows', { skip: missing('h2load') }, async () => {
    const args = ['-n', '40', '-c', '4', '-m', '10', '-w', '14', '-W', '16', url('/large')];
    const { stdout } = await run('h2load', args, TIMEOUT);
    assert.match(stdout, /40 succeeded, 0 failed/);
  });

  describe('over TLS', { skip: missing('openssl') }, () => {
    let secure: TestServer;
    let cert: Buffer;

    before(async () => {
      const [key, certificate] = [join(directory, 'key.pem'), join(directory, 'cert.pem')];
      const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
      const algorithm = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
      await run('openssl', ['req', '-x509', ...algorithm, '-keyout', key, '-out', certificate, ...subject], TIMEOUT);
      cert = readFileSync(certificate);
      secure = await serveHandler(suite, handle, { tls: { hosts: [hostWith({ certificate, key })] } });
    });

    it("sends a large response to Node's client", async () => {
      const session = connect(`https://localhost:${secure.port}`, {
        ca: cert,
        family: 4,
      } as SecureClientSessionOptions);
      let bytes = 0;
      for await (const block of session.request({ ':path': '/large' })) bytes += (block as Buffer).length;
      assert.equal(bytes, 5_000_000);
      assert.equal(seen?.peer.secure, true);
      assert.equal(seen?.peer.remoteAddress, '127.0.0.1');
      session.close();
    });

    it('serves Chromium, which loads a page with many parts and sends content', { skip: NO_BROWSER }, async () => {
      const browser = await openBrowser();
      try {
        const context = await browser.newContext({ ignoreHTTPSErrors: true });
        const page = await context.newPage();
        await page.goto(`https://127.0.0.1:${secure.port}/page`);
        const sums = await page.evaluate(async () => {
          const parts = Array.from({ length: 300 }, async (_, i) => (await (await fetch(`/part${i}`)).text()).length);
          const body = new Uint8Array(3_000_000);
          const sent = await (await fetch('/upload', { method: 'POST', body })).text();
          const lengths = await Promise.all(parts);
          const entries = performance.getEntriesByType('resource') as unknown as { nextHopProtocol: string }[];
          const protocols = [...new Set(entries.map(({ nextHopProtocol }) => nextHopProtocol))];
          return { total: lengths.reduce((sum, length) => sum + length, 0), sent, protocols };
        });
        assert.deepEqual(sums, { total: 300 * 'Hello, World!\n'.length, sent: '3000000 bytes\n', protocols: ['h2'] });
      } finally {
        await browser.close();
      }
      assert.deepEqual(secure.errors, []);
      assert.deepEqual(secure.refused, []);
    });
  });
});
