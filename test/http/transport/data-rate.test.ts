import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, it } from 'node:test';
import type { Request } from '../../../src/http/message.ts';
import { Response } from '../../../src/http/response.ts';
import type { HttpLimits } from '../../../src/http/transport/limits.ts';
import { eachTestLifetime } from '../../support/lifetime.ts';
import { serveHandler } from '../../support/serve-handler.ts';
import { SocketClient } from '../../support/socket-client.ts';
import { PATIENCE_MS, within } from '../../support/wait.ts';

/** One byte each 40 ms: 25 bytes per second. */
const EVERY_MS = 40;
const CONTENT = 'x'.repeat(5000);
/** More than the kernel takes for a client that does not read. */
const LARGE = Buffer.alloc(16 * 1024 * 1024, 'x');

describe('minimum data rates', () => {
  const eachTest = eachTestLifetime();

  async function start(limits: Partial<HttpLimits>): Promise<number> {
    const server = await serveHandler(eachTest, answer, { limits });
    return server.port;
  }

  async function trickle(port: number, framing: string, prefix = ''): Promise<number> {
    const client = await SocketClient.open(port);
    client.send(`POST / HTTP/1.1\r\nHost: a\r\n${framing}\r\n\r\n${prefix}`);
    const done = client.trickle(CONTENT, EVERY_MS);
    const status = await client.untilClosed();
    await done;
    return status;
  }

  it('answers 408 to steady content that is slower than the minimum', async () => {
    const port = await start({ bodyTimeoutMs: 200, bodyRateBytesMin: 1000 });
    assert.equal(await trickle(port, 'Content-Length: 5000'), 408);
    assert.equal(await trickle(port, 'Transfer-Encoding: chunked', '1388\r\n'), 408);
    assert.equal(await trickle(port, 'Transfer-Encoding: chunked', '1;'), 408);
  });

  it('takes slow content for longer than the timeout when it is faster than the minimum', async () => {
    const port = await start({ bodyTimeoutMs: 200, bodyRateBytesMin: 10 });
    const client = await SocketClient.open(port);
    client.send('POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 30\r\n\r\n');
    await client.trickle(CONTENT.slice(0, 30), EVERY_MS); // 1.2 s
    assert.equal(await client.untilClosed(), 200);
    assert.match(client.received, /got 30\n$/);
  });

  it('does not count the time in which the application wants no content', async () => {
    let resumed = () => {};
    const again = new Promise<void>((resolve) => {
      resumed = resolve;
    });
    const handle = ({ body }: Request) =>
      new Promise<Response>((resolve, reject) => {
        const resume = () => {
          body?.resume();
          resumed();
        };
        const write = (block: Uint8Array) => {
          if (block.length === 1) return;
          body?.pause();
          setTimeout(resume, 500);
        };
        body?.start({ write, end: () => resolve(Response.text(200, 'all\n')), fail: reject });
      });
    const server = await serveHandler(eachTest, handle, {
      limits: { bodyTimeoutMs: 100, bodyRateBytesMin: 1_000_000 },
    });
    const client = await SocketClient.open(server.port);
    client.send('POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 6\r\n\r\nfirst');
    await again;
    client.send('x');
    assert.equal(await client.untilClosed(), 200);
  });

  it('cuts off a client that reads a response slower than the minimum', async () => {
    const port = await start({ writeTimeoutMs: 200, writeRateBytesMin: 100_000_000 });
    const { read, whole } = await readSlowly(port);
    assert.equal(whole, false);
    assert.ok(read < LARGE.length, `${read} bytes`);
  });

  it('serves a slow client to the end when it reads faster than the minimum', async () => {
    // The kernel takes more only when a third of its buffer is free, which is about 70 ms at this speed.
    const port = await start({ writeTimeoutMs: 600, writeRateBytesMin: 1000 });
    const { read, whole } = await readSlowly(port);
    assert.equal(whole, true);
    assert.ok(read > LARGE.length);
  });

  async function readSlowly(port: number): Promise<{ read: number; whole: boolean }> {
    const socket = connect({ port, host: '127.0.0.1' });
    await once(socket, 'connect');
    socket.pause();
    socket.on('error', () => {});
    socket.write('GET /large HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    let read = 0;
    const timer = setInterval(() => {
      read += (socket.read() as Buffer | null)?.length ?? 0;
    }, 5);
    const ended = new Promise<boolean>((resolve) => {
      socket.once('end', () => resolve(true));
      socket.once('close', () => resolve(false));
    });
    const whole = await within(PATIENCE_MS, 'the end of the response', () => ended);
    clearInterval(timer);
    socket.destroy();
    return { read, whole };
  }
});

function answer({ body, path }: Request): Response | Promise<Response> {
  if (body === null) return Response.fromHeaders(200, [], path === '/large' ? LARGE : null);
  return new Promise((resolve, reject) => {
    let length = 0;
    body.start({
      write: (block) => {
        length += block.length;
      },
      end: () => resolve(Response.text(200, `got ${length}\n`)),
      fail: reject,
    });
  });
}
