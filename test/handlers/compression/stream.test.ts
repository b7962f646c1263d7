import { equal, match, ok } from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { get as httpGet, type IncomingMessage } from 'node:http';
import { before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { compression } from '../../../src/handlers/compression/compression.ts';
import type { ResponseBody } from '../../../src/http/message.ts';
import { Response } from '../../../src/http/response.ts';
import { BlockSource } from '../../support/block-source.ts';
import { NO_CURL } from '../../support/certificates.ts';
import { createDecoder, decode, TESTED_CODINGS } from '../../support/codings.ts';
import { ask } from '../../support/http-client.ts';
import { suiteLifetime } from '../../support/lifetime.ts';
import { createRandom, noise } from '../../support/random.ts';
import { serveHandler, type TestServer } from '../../support/serve-handler.ts';
import { SocketClient } from '../../support/socket-client.ts';
import { eventually } from '../../support/wait.ts';

const run = promisify(execFile);

describe('compression of streams', () => {
  let body: ResponseBody = null;
  let type = 'text/html';
  let fields: readonly string[] = [];
  const suite = suiteLifetime();
  let server: TestServer;

  before(async () => {
    server = await serveHandler(suite, [
      compression(),
      () => Response.fromHeaders(200, ['Content-Type', type, ...fields], body),
    ]);
  });

  function serve(content: ResponseBody, headers: readonly string[] = [], contentType = 'text/html'): void {
    body = content;
    fields = headers;
    type = contentType;
  }

  /** The head of the response, read by a plain socket client. */
  async function open(coding: string): Promise<IncomingMessage> {
    const request = httpGet({ port: server.port, agent: false, headers: { 'Accept-Encoding': coding } });
    request.on('error', () => {});
    const [answer] = await once(request, 'response');
    return answer;
  }

  for (const coding of TESTED_CODINGS) {
    for (const streamed of ['text/html', 'text/event-stream']) {
      it(`sends each block of ${streamed} in ${coding} before the next block exists`, {
        timeout: 30_000,
      }, async () => {
        const source = new BlockSource();
        serve(source, [], streamed);
        const answer = await open(coding);
        equal(answer.headers['content-encoding'], coding);
        equal(answer.headers['transfer-encoding'], 'chunked');
        const decoder = answer.pipe(createDecoder(coding));
        const sink = await source.sink;
        for (const block of ['data: 1\n\n', 'data: two\n\n', 'x'.repeat(100_000), 'data: 4\n\n']) {
          sink.write(Buffer.from(block));
          let got = '';
          while (got.length < block.length) {
            const piece: Buffer | null = decoder.read();
            if (piece === null) await once(decoder, 'readable');
            else got += piece.toString();
          }
          equal(got, block);
        }
        sink.end();
        decoder.resume();
        await once(decoder, 'end');
      });
    }

    it(`can be decompressed to the original, for a large body in ${coding}`, async () => {
      const content = Buffer.from('<p>large</p>\n'.repeat(100_000));
      serve(content, ['Content-Length', `${content.length}`]);
      const answer = await ask(server.port, '/', { headers: [['Accept-Encoding', coding]] });
      equal(answer.framing, 'chunked');
      equal(answer.whole, true);
      ok(answer.body.length < content.length / 10);
      ok(decode(coding, answer.body).equals(content));
    });
  }

  it('can be decompressed by curl, for all codings that curl knows', { skip: NO_CURL }, async (test) => {
    const { stdout: version } = await run('curl', ['--version']);
    const known = [
      ['gzip', /\blibz\b/],
      ['br', /\bbrotli\b/],
      ['zstd', /\bzstd\b/],
    ] as const;
    const content = 'compressed by us, undone by curl\n'.repeat(5000);
    for (const [coding] of known.filter(([name, feature]) => TESTED_CODINGS.includes(name) && feature.test(version))) {
      test.diagnostic(coding);
      for (const length of [2000, content.length]) {
        serve(Buffer.from(content.slice(0, length)));
        const url = `http://127.0.0.1:${server.port}/`;
        const args = ['-sSi', '--max-time', '20', '--compressed', '-H', `Accept-Encoding: ${coding}`, url];
        const { stdout } = await run('curl', args);
        const [head = '', got] = stdout.split('\r\n\r\n');
        match(head, new RegExp(`^content-encoding: ${coding}$`, 'im'));
        equal(got, content.slice(0, length));
      }
    }
  });

  it('pauses the source while the client does not read, and resumes it', {
    timeout: 30_000,
  }, async () => {
    const source = new BlockSource();
    serve(source);
    const answer = await open('gzip');
    const sink = await source.sink;
    const random = createRandom(1);
    const sent: Buffer[] = [];
    // Blocks that do not shrink fill the socket's buffers, one at a time, until the source pauses.
    while (!source.paused) {
      const block = noise(random, 65_536);
      sent.push(block);
      sink.write(block);
      ok(sent.length < 2000, 'the source is never made to wait');
      await new Promise((resolve) => setImmediate(resolve));
    }
    const got: Buffer[] = [];
    answer.on('data', (piece) => got.push(piece));
    await source.until(({ paused }) => !paused);
    sink.end();
    await once(answer, 'end');
    ok(decode('gzip', Buffer.concat(got)).equals(Buffer.concat(sent)));
  });

  it('cancels the source once when the client leaves', { timeout: 30_000 }, async () => {
    for (const coding of TESTED_CODINGS) {
      const source = new BlockSource();
      serve(source);
      const answer = await open(coding);
      const sink = await source.sink;
      sink.write(Buffer.from('a block'));
      await once(answer, 'readable');
      answer.destroy();
      // A client that has left looks like a client without further requests, until the server sends something.
      await eventually('the source is cancelled', () => {
        sink.write(Buffer.from('another'));
        return source.cancelled > 0;
      });
      sink.write(Buffer.from('one too many'));
      sink.end();
      equal(source.cancelled, 1);
    }
  });

  it('breaks off when the source fails, and reports it', async () => {
    for (const length of [[], ['Content-Length', '100000']]) {
      const source = new BlockSource();
      serve(source, length);
      const client = await SocketClient.open(server.port);
      client.send('GET / HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\n\r\n');
      const sink = await source.sink;
      sink.write(Buffer.from('a block'));
      await client.until(/\r\n\r\n[0-9a-f]+\r\n/);
      const reports = server.errors.length;
      sink.fail(new Error('the application failed'));
      await client.untilClosed();
      ok(!client.received.endsWith('0\r\n\r\n'));
      match(String(server.errors[reports]), /the application failed/);
      equal(source.cancelled, 0);
    }
  });

  for (const [amount, bytes, cancelled] of [
    ['less', 1999, 0],
    ['more', 2001, 1],
  ] as const) {
    it(`does not hide that ${amount} came than a Content-Length announced`, async () => {
      const source = new BlockSource();
      serve(source, ['Content-Length', '2000']);
      const client = await SocketClient.open(server.port);
      client.send('GET / HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\n\r\n');
      const sink = await source.sink;
      const reports = server.errors.length;
      sink.write(Buffer.alloc(bytes, 'a'));
      sink.end();
      await client.untilClosed();
      ok(!client.received.endsWith('0\r\n\r\n'));
      match(String(server.errors[reports]), /Content-Length is 2000/);
      equal(source.cancelled, cancelled);
    });
  }

  it('ends with the connection for HTTP/1.0', async () => {
    serve(Buffer.from('old\n'.repeat(10_000)));
    const answer = await ask(server.port, '/', { version: '1.0', headers: [['Accept-Encoding', 'gzip']] });
    equal(answer.framing, 'close');
    ok(decode('gzip', answer.body).equals(Buffer.from('old\n'.repeat(10_000))));
  });
});
