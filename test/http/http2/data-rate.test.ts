import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
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
import { startProtocolServer } from '../../support/http2-server.ts';
import { eventually } from '../../support/socket-client.ts';

/** One byte each 40 ms: 25 bytes per second. */
const EVERY_MS = 40;
const CANCEL = 8;
/** What a client lets through before it says more (RFC 9113 section 6.9.2). */
const FIRST_WINDOW = 65_535;
/** What a slow reader takes each 5 ms: 200 KB a second. */
const READ_BYTES = 1000;
const POST = fields({ ':method': 'POST' });

describe('minimum data rates of HTTP/2', () => {
  const stops: (() => void)[] = [];
  afterEach(() => {
    for (const stop of stops.splice(0)) stop();
  });

  async function start(limits: Partial<HttpLimits>, handle = answer): Promise<FrameClient> {
    const server = await startProtocolServer('HTTP/2', { handle, limits });
    const client = await FrameClient.open(server.port);
    stops.push(server.close, () => client.close());
    return client;
  }

  /** Sends what `next` gives every 40 ms, until that is null. */
  function repeat(client: FrameClient, next: (count: number) => Buffer[] | null): void {
    let count = 0;
    const timer = setInterval(() => {
      const frames = client.closed ? null : next(count);
      count += 1;
      if (frames === null) clearInterval(timer);
      else client.send(...frames);
    }, EVERY_MS);
    stops.push(() => clearInterval(timer));
  }

  const answered = (client: FrameClient, id: number) =>
    client.until(`the answer on stream ${id}`, (one) => one.type === DATA && one.id === id && one.payload.length > 0);
  const ended = (client: FrameClient, id: number) =>
    client.until(
      `the end of stream ${id}`,
      (one) => one.type === DATA && one.id === id && (one.flags & END_STREAM) !== 0,
    );
  const isReset = (client: FrameClient, id: number) =>
    eventually(`stream ${id} is cut`, () => client.resetCode(id) !== -1 || client.closed);

  it('answers 408 to content that never rests but is slower than the minimum, and serves other streams', async () => {
    const client = await start({ bodyTimeoutMs: 200, bodyRateBytesMin: 1000 });
    client.send(request(1, POST, END_HEADERS));
    repeat(client, () => (client.received(1) > 0 ? null : [frame(DATA, 0, 1, 'x')]));
    assert.match((await answered(client, 1)).payload.toString(), /^408 /);
    client.send(request(3));
    assert.equal((await answered(client, 3)).payload.toString(), 'hello\n');
  });

  it('takes content that is slow but not slower than the minimum, for longer than the time-out', async () => {
    const client = await start({ bodyTimeoutMs: 200, bodyRateBytesMin: 10 });
    client.send(request(1, POST, END_HEADERS));
    repeat(client, (count) => (count > 30 ? null : [frame(DATA, count === 30 ? END_STREAM : 0, 1, 'x')])); // 1.2 s
    assert.equal((await answered(client, 1)).payload.toString(), 'got 31\n');
  });

  it('takes a byte now and then where there is no minimum', async () => {
    const client = await start({ bodyTimeoutMs: 200, bodyRateBytesMin: 0 });
    client.send(request(1, POST, END_HEADERS));
    repeat(client, (count) => (count > 30 ? null : [frame(DATA, count === 30 ? END_STREAM : 0, 1, 'x')]));
    assert.equal((await answered(client, 1)).payload.toString(), 'got 31\n');
  });

  it('counts no time in which the application wants no content', async () => {
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
    it(`cuts a ${size} response whose client makes room for it byte by byte, slower than the minimum`, async () => {
      const client = await start({ writeTimeoutMs: 100, writeRateBytesMin: 1000 });
      client.send(request(1, fields({ ':path': path })), windowUpdate(0, 1_000_000));
      repeat(client, () => (client.resetCode(1) === -1 ? [windowUpdate(1, 1)] : null));
      await isReset(client, 1);
      assert.equal(client.resetCode(1), CANCEL);
      client.send(request(3));
      assert.equal((await answered(client, 3)).payload.toString(), 'hello\n');
    });

    it(`sends all of a ${size} response whose client makes room for it slowly, but faster than the minimum`, async () => {
      const client = await start({ writeTimeoutMs: 200, writeRateBytesMin: 1000 });
      client.send(request(1, fields({ ':path': path })), windowUpdate(0, 1_000_000));
      const step = path === '/long' ? 16_000 : 800; // 400 kB/s, 20 kB/s
      repeat(client, () => (client.received(1) < lengthOf(path as string) ? [windowUpdate(1, step)] : null));
      await ended(client, 1);
      assert.equal(client.received(1), lengthOf(path as string));
    });
  }

  it('cuts a response whose client makes room on its stream only, and none on the connection', async () => {
    const client = await start({ writeTimeoutMs: 100, writeRateBytesMin: 1000 });
    client.send(request(1, fields({ ':path': '/long' })));
    repeat(client, () => (client.resetCode(1) === -1 ? [windowUpdate(1, 10_000)] : null));
    await isReset(client, 1);
    assert.equal(client.resetCode(1), CANCEL);
    assert.equal(client.received(1), FIRST_WINDOW);
  });

  it('cuts off a client that reads what waits in its socket slower than the minimum', async () => {
    const server = await startProtocolServer('HTTP/2', {
      handle: () => Response.fromHeaders(200, [], Buffer.alloc(60_000_000)),
      limits: { writeTimeoutMs: 200, writeRateBytesMin: 5_000_000 },
    });
    const window = Buffer.from([0, 4, 0x7f, 0xff, 0xff, 0xff]);
    const client = await FrameClient.open(server.port, frame(4, 0, 0, window));
    stops.push(server.close, () => client.close());
    client.socket.removeAllListeners('data').pause();
    let read = 0;
    const timer = setInterval(() => {
      read += (client.socket.read(READ_BYTES) as Buffer | null)?.length ?? 0;
    }, 5);
    stops.push(() => clearInterval(timer));
    client.send(windowUpdate(0, 0x7f000000), request(1));
    await eventually('the answer begins', () => read > 0);
    await eventually('the server gives up', () => server.connections.size === 0);
    assert.equal(server.answered.length, 1);
  });
});

/** Shorter and longer than what goes to the engine as a whole. */
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
