import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Request } from '../../../src/http/message.ts';
import { Response } from '../../../src/http/response.ts';
import type { HttpLimits } from '../../../src/http/transport/limits.ts';
import {
  DATA,
  END_HEADERS,
  END_STREAM,
  FrameClient,
  fields,
  frame,
  request,
  windowUpdate,
} from '../../support/http2-frames.ts';
import { eachTestLifetime } from '../../support/lifetime.ts';
import { serveHandler } from '../../support/serve-handler.ts';
import { eventually } from '../../support/wait.ts';

/** One byte each 40 ms: 25 bytes per second. */
const EVERY_MS = 40;
const CANCEL = 8;
/** The window of a client before its first update (RFC 9113 section 6.9.2). */
const FIRST_WINDOW = 65_535;
/** What a slow reader takes every 5 ms: 200 KB a second. */
const READ_BYTES = 1000;
const POST = fields({ ':method': 'POST' });

describe('minimum data rates of HTTP/2', () => {
  const eachTest = eachTestLifetime();

  async function start(limits: Partial<HttpLimits>, handle = answer): Promise<FrameClient> {
    const server = await serveHandler(eachTest, handle, { protocol: 'HTTP/2', limits });
    const client = await FrameClient.open(server.port);
    eachTest.after(() => client.close());
    return client;
  }

  /** Sends the frames that `next` returns every 40 ms, until it returns null. */
  function repeat(client: FrameClient, next: (count: number) => Buffer[] | null): void {
    let count = 0;
    const timer = setInterval(() => {
      const frames = client.closed ? null : next(count);
      count += 1;
      if (frames === null) clearInterval(timer);
      else client.send(...frames);
    }, EVERY_MS);
    eachTest.after(() => clearInterval(timer));
  }

  const answered = (client: FrameClient, id: number) =>
    client.until(
      `the answer on stream ${id}`,
      (each) => each.type === DATA && each.id === id && each.payload.length > 0,
    );
  const ended = (client: FrameClient, id: number) =>
    client.until(
      `the end of stream ${id}`,
      (each) => each.type === DATA && each.id === id && (each.flags & END_STREAM) !== 0,
    );
  const isReset = (client: FrameClient, id: number) =>
    eventually(`stream ${id} is cut`, () => client.resetCode(id) !== -1 || client.closed);

  it('answers 408 to steady content that is slower than the minimum, and serves other streams', async () => {
    const client = await start({ bodyTimeoutMs: 200, bodyRateBytesMin: 1000 });
    client.send(request(1, POST, END_HEADERS));
    repeat(client, () => (client.received(1) > 0 ? null : [frame(DATA, 0, 1, 'x')]));
    assert.match((await answered(client, 1)).payload.toString(), /^408 /);
    client.send(request(3));
    assert.equal((await answered(client, 3)).payload.toString(), 'hello\n');
  });

  it('takes slow content for longer than the timeout when it is faster than the minimum', async () => {
    const client = await start({ bodyTimeoutMs: 200, bodyRateBytesMin: 10 });
    client.send(request(1, POST, END_HEADERS));
    repeat(client, (count) => (count > 30 ? null : [frame(DATA, count === 30 ? END_STREAM : 0, 1, 'x')])); // 1.2 s
    assert.equal((await answered(client, 1)).payload.toString(), 'got 31\n');
  });

  it('takes content byte by byte when there is no minimum', async () => {
    const client = await start({ bodyTimeoutMs: 200, bodyRateBytesMin: 0 });
    client.send(request(1, POST, END_HEADERS));
    repeat(client, (count) => (count > 30 ? null : [frame(DATA, count === 30 ? END_STREAM : 0, 1, 'x')]));
    assert.equal((await answered(client, 1)).payload.toString(), 'got 31\n');
  });

  it('does not count the time in which the application wants no content', async () => {
    let resumed = () => {};
    const again = new Promise<void>((resolve) => {
      resumed = resolve;
    });
    const handle = ({ body }: Request) =>
      new Promise<Response>((resolve, reject) => {
        const write = (block: Uint8Array) => {
          if (block.length === 1) return;
          body?.pause();
          setTimeout(() => {
            body?.resume();
            resumed();
          }, 500);
        };
        body?.start({ write, end: () => resolve(Response.text(200, 'all\n')), fail: reject });
      });
    const client = await start({ bodyTimeoutMs: 100, bodyRateBytesMin: 1_000_000 }, handle);
    client.send(request(1, POST, END_HEADERS), frame(DATA, 0, 1, 'first'));
    await again;
    client.send(frame(DATA, END_STREAM, 1, 'x'));
    assert.equal((await answered(client, 1)).payload.toString(), 'all\n');
  });

  for (const [size, path] of [
    ['short', '/short'],
    ['long', '/long'],
  ]) {
    it(`cuts a ${size} response when its client makes room byte by byte, slower than the minimum`, async () => {
      const client = await start({ writeTimeoutMs: 100, writeRateBytesMin: 1000 });
      client.send(request(1, fields({ ':path': path })), windowUpdate(0, 1_000_000));
      repeat(client, () => (client.resetCode(1) === -1 ? [windowUpdate(1, 1)] : null));
      await isReset(client, 1);
      assert.equal(client.resetCode(1), CANCEL);
      client.send(request(3));
      assert.equal((await answered(client, 3)).payload.toString(), 'hello\n');
    });

    it(`sends all of a ${size} response when its client makes room slowly, but faster than the minimum`, async () => {
      const client = await start({ writeTimeoutMs: 200, writeRateBytesMin: 1000 });
      client.send(request(1, fields({ ':path': path })), windowUpdate(0, 1_000_000));
      const step = path === '/long' ? 16_000 : 800; // 400 kB/s, 20 kB/s
      repeat(client, () => (client.received(1) < lengthOf(path as string) ? [windowUpdate(1, step)] : null));
      await ended(client, 1);
      assert.equal(client.received(1), lengthOf(path as string));
    });
  }

  it('cuts a response when its client makes room on the stream, but not on the connection', async () => {
    const client = await start({ writeTimeoutMs: 100, writeRateBytesMin: 1000 });
    client.send(request(1, fields({ ':path': '/long' })));
    repeat(client, () => (client.resetCode(1) === -1 ? [windowUpdate(1, 10_000)] : null));
    await isReset(client, 1);
    assert.equal(client.resetCode(1), CANCEL);
    assert.equal(client.received(1), FIRST_WINDOW);
  });

  it('cuts off a client that reads from its socket slower than the minimum', async () => {
    const server = await serveHandler(eachTest, () => Response.fromHeaders(200, [], Buffer.alloc(60_000_000)), {
      protocol: 'HTTP/2',
      limits: { writeTimeoutMs: 200, writeRateBytesMin: 5_000_000 },
    });
    const window = Buffer.from([0, 4, 0x7f, 0xff, 0xff, 0xff]);
    const client = await FrameClient.open(server.port, frame(4, 0, 0, window));
    eachTest.after(() => client.close());
    client.socket.removeAllListeners('data').pause();
    let read = 0;
    const timer = setInterval(() => {
      read += (client.socket.read(READ_BYTES) as Buffer | null)?.length ?? 0;
    }, 5);
    eachTest.after(() => clearInterval(timer));
    client.send(windowUpdate(0, 0x7f000000), request(1));
    await eventually('the answer starts', () => read > 0);
    await eventually('the server gives up', () => server.connections.size === 0);
    assert.equal(server.answered.length, 1);
  });
});

/** The engine gets the short body as a whole, and the long body in pieces. */
const BODIES: Record<string, Buffer> = { '/short': Buffer.alloc(80_000, 'x'), '/long': Buffer.alloc(600_000, 'x') };

function lengthOf(path: string): number {
  return BODIES[path]?.length ?? 0;
}

function answer({ body, path }: Request): Response | Promise<Response> {
  if (body === null) return Response.fromHeaders(200, [], BODIES[path] ?? Buffer.from('hello\n'));
  return new Promise((resolve, reject) => {
    let length = 0;
    const write = (block: Uint8Array) => {
      length += block.length;
    };
    body.start({ write, end: () => resolve(Response.text(200, `got ${length}\n`)), fail: reject });
  });
}
