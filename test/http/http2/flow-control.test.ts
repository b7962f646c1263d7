import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { BodySink, Request, RequestBody } from '../../../src/http/message.ts';
import { Response } from '../../../src/http/response.ts';
import {
  ACK,
  DATA,
  END_HEADERS,
  END_STREAM,
  FLOW_CONTROL_ERROR,
  FrameClient,
  fields,
  frame,
  HEADERS,
  INITIAL_WINDOW_SIZE,
  NO_ERROR,
  PADDED,
  PING,
  PROTOCOL_ERROR,
  request,
  SETTINGS,
  STREAM_CLOSED,
  section,
  setting,
  WINDOW_UPDATE,
  windowUpdate,
} from '../../support/http2-frames.ts';
import { eachTestLifetime } from '../../support/lifetime.ts';
import { serveHandler, type TestServer } from '../../support/serve-handler.ts';
import { eventually } from '../../support/wait.ts';

/** The first size of all windows (RFC 9113 section 6.9.2), and what our window of the connection then has. */
const WINDOW = 65_535;
const CONNECTION_WINDOW = 1_048_576;
const PART = 16_000;
/** What the server lets a client send ahead on one stream. */
const AHEAD_MAX = 262_144;

const post = (id: number, more: readonly (readonly [string, string])[] = [], path = '/'): Buffer =>
  request(id, fields({ ':method': 'POST', ':path': path }, more), END_HEADERS);
const part = (id: number, bytes = PART): Buffer => frame(DATA, 0, id, Buffer.alloc(bytes));

/** Content as a handler that reads when the test says so gets it. */
class Reader implements BodySink {
  received = 0;
  outcome = '';
  readonly #body: RequestBody;
  readonly #perTurn: number;
  #left = 0;

  constructor(body: RequestBody, perTurn: number) {
    this.#body = body;
    this.#perTurn = perTurn;
  }

  write(block: Uint8Array): void {
    this.received += block.length;
    this.#left -= 1;
    if (this.#left <= 0) this.#body.pause();
  }

  end(): void {
    this.outcome = 'ended';
  }

  fail(): void {
    this.outcome = 'failed';
  }

  /** Takes some blocks. */
  turn(): void {
    this.#left = this.#perTurn;
    this.#body.resume();
  }

  start(): void {
    this.#left = this.#perTurn;
    this.#body.start(this);
  }
}

describe('flow control of HTTP/2', () => {
  const eachTest = eachTestLifetime();
  let readers: Reader[] = [];
  const windows = (client: FrameClient, id: number): number =>
    client.frames
      .filter((one) => one.type === WINDOW_UPDATE && one.id === id)
      .reduce((sum, { payload }) => sum + payload.readUInt32BE(0), 0);

  /** Waits until the server has read everything that was sent so far. */
  async function settle(client: FrameClient): Promise<void> {
    const mark = Buffer.from(`mark${String(client.frames.length).padStart(4, '0')}`.slice(-8));
    client.send(frame(PING, 0, 0, mark));
    await client.until('the answer to PING', ({ type, payload }) => type === PING && payload.equals(mark));
  }

  function serve(perTurn = 1): Promise<TestServer> {
    readers = [];
    return serveHandler(
      eachTest,
      ({ path, body }: Request) => {
        if (path === '/large') return Response.fromHeaders(200, [], Buffer.alloc(400_000, 'x'));
        if (path === '/empty') return Response.fromHeaders(200, [], Buffer.alloc(0));
        if (body === null) return Response.text(200, 'fine\n');
        const reader = new Reader(body, perTurn);
        readers.push(reader);
        if (path === '/read') reader.start();
        return new Promise(() => {});
      },
      { protocol: 'HTTP/2' },
    );
  }

  it('resets a stream whose client sends more than its window, and goes on with the others', async () => {
    const { port } = await serve();
    const client = await FrameClient.open(port);
    client.send(post(1), ...Array.from({ length: 4 }, () => part(1)), part(1, WINDOW - 4 * PART));
    await settle(client);
    assert.equal(client.resetCode(1), -1, 'the whole window can be used');
    client.send(part(1, 1));
    await eventually('the stream is reset', () => client.resetCode(1) === FLOW_CONTROL_ERROR);
    // What was on its way is ignored (RFC 9113 section 5.1).
    client.send(part(1), frame(DATA, END_STREAM, 1, 'x'), request(3));
    await client.until('another answer', ({ id }) => id === 3);
    assert.equal(client.goaway, -1);
    client.close();
  });

  it('ends the connection when its client sends more than the window of the connection', async () => {
    const { port } = await serve();
    const client = await FrameClient.open(port);
    assert.equal(windows(client, 0), CONNECTION_WINDOW - WINDOW);
    const full = Array.from({ length: 16 }, (_, i) => 2 * i + 1);
    for (const id of full)
      client.send(post(id), ...Array.from({ length: 4 }, () => part(id)), part(id, WINDOW - 4 * PART));
    client.send(post(101), part(101, 16));
    await settle(client);
    assert.equal(client.goaway, -1, 'the whole window can be used');
    client.send(part(101, 1));
    assert.equal(await client.untilClosed(), FLOW_CONTROL_ERROR);
  });

  it('counts padding, and gives it back', async () => {
    const { port } = await serve(Number.POSITIVE_INFINITY);
    const client = await FrameClient.open(port);
    const padded = frame(DATA, PADDED, 1, Buffer.concat([Buffer.from([254]), Buffer.alloc(255)]));
    client.send(post(1, [], '/read'));
    for (let sent = 0; sent < 3 * CONNECTION_WINDOW; sent += 100 * 256) {
      client.send(...Array.from({ length: 100 }, () => padded));
      const room = (): number => Math.min(windows(client, 1), windows(client, 0)) + WINDOW - sent;
      await eventually('there is room', () => room() > 2 * 100 * 256);
    }
    assert.equal(client.goaway, -1);
    client.close();
  });

  it('lets a client send no more ahead of a slow application than one window of a stream', async () => {
    const { port } = await serve();
    const client = await FrameClient.open(port);
    client.send(post(1, [], '/read'));
    await eventually('the handler reads', () => readers.length === 1);
    let sent = 0;
    for (let turn = 0; turn < 40; turn += 1) {
      await settle(client);
      const room = Math.min(windows(client, 1), windows(client, 0)) + WINDOW - sent;
      for (let left = room; left > 0; left -= PART) {
        const bytes = Math.min(left, PART);
        client.send(part(1, bytes));
        sent += bytes;
      }
      await settle(client);
      const ahead = sent - (readers[0]?.received ?? 0);
      assert.ok(ahead <= AHEAD_MAX, `turn ${turn}: ${ahead} bytes are ahead`);
      readers[0]?.turn();
    }
    client.close();
  });

  it('gives back what arrives for a stream that was reset because of its length', async () => {
    const { port } = await serve();
    const client = await FrameClient.open(port);
    for (let i = 0; i < 100; i += 1) {
      const id = 2 * i + 1;
      client.send(post(id, [['content-length', '1']]), part(id), part(id));
      await eventually('the stream is reset', () => client.resetCode(id) === PROTOCOL_ERROR);
      await eventually('there is room', () => windows(client, 0) + WINDOW - (i + 1) * 2 * PART > 4 * PART);
    }
    assert.equal(client.goaway, -1);
    client.close();
  });

  const late: readonly [string, readonly Buffer[]][] = [
    ['DATA', [part(1), part(1)]],
    ['DATA that ends it', [frame(DATA, END_STREAM, 1, 'x')]],
    ['trailers', [frame(HEADERS, END_HEADERS | END_STREAM, 1, section([['a', 'b']]))]],
    ['malformed trailers', [frame(HEADERS, END_HEADERS, 1, section([[':path', '/']]))]],
    ['WINDOW_UPDATE', [windowUpdate(1, 5), windowUpdate(1, 0), windowUpdate(1, 0x7fffffff)]],
  ];
  for (const [what, frames] of late) {
    it(`ignores ${what} for a stream that it has reset while the handler is at work`, async () => {
      const { port } = await serve();
      const client = await FrameClient.open(port);
      client.send(post(1), windowUpdate(1, 0));
      await eventually('the stream is reset', () => client.resetCode(1) === PROTOCOL_ERROR);
      client.send(...frames, request(3));
      await client.until('another answer', ({ id }) => id === 3);
      assert.equal(client.goaway, -1);
      assert.equal(client.frames.filter(({ type, id }) => type === 3 && id === 1).length, 1, 'one RST_STREAM');
      client.close();
    });
  }

  it('ends the connection when DATA comes on a stream that its client has reset', async () => {
    const { port } = await serve();
    const client = await FrameClient.open(port);
    client.send(post(1), frame(3, 0, 1, Buffer.from([0, 0, 0, 8])), part(1));
    assert.equal(await client.untilClosed(), STREAM_CLOSED);
  });

  it('takes windows that become negative while a response waits (6.9.2)', async () => {
    const { port } = await serve();
    const client = await FrameClient.open(port, setting(INITIAL_WINDOW_SIZE, 100_000));
    const had = (): number => client.received(1);
    client.send(request(1, fields({ ':path': '/large' })));
    await eventually('the window of the connection is used up', () => had() === WINDOW);
    // The response still has 34,465 bytes of its own window. Now it owes 64,535.
    client.send(setting(INITIAL_WINDOW_SIZE, 1000), windowUpdate(0, 1_000_000));
    await settle(client);
    assert.equal(had(), WINDOW, 'nothing may be sent');
    client.send(windowUpdate(1, 64_535));
    await settle(client);
    assert.equal(had(), WINDOW, 'a window of 0 is closed');
    client.send(windowUpdate(1, 10));
    await eventually('ten bytes arrive', () => had() === WINDOW + 10);
    client.send(setting(INITIAL_WINDOW_SIZE, 2000));
    await eventually('1000 more arrive', () => had() === WINDOW + 1010);
    client.send(windowUpdate(1, 1_000_000));
    await eventually('the rest arrives', () => had() === 400_000);
    assert.equal(client.goaway, -1);
    client.close();
  });

  it('sends nothing beyond windows that shrink together with an opened connection', async () => {
    const { port } = await serve();
    const client = await FrameClient.open(port, setting(INITIAL_WINDOW_SIZE, 300_000));
    for (const id of [1, 3, 5]) client.send(request(id, fields({ ':path': '/large' })));
    await eventually('the window of the connection is used up', () => client.received(1) === WINDOW);
    client.send(windowUpdate(0, 1_000_000), setting(INITIAL_WINDOW_SIZE, 20_000));
    await settle(client);
    const ack = client.frames.findLastIndex(({ type, flags }) => type === SETTINGS && flags === ACK);
    assert.deepEqual(
      [1, 3, 5].map((id) => client.received(id)),
      [WINDOW, 20_000, 20_000],
    );
    assert.ok(client.frames.slice(0, ack).every(({ id, type }) => type !== DATA || id === 1));
    client.close();
  });

  it('starts responses whose window is negative or 0, and ends them without content', async () => {
    const { port } = await serve();
    const client = await FrameClient.open(port, setting(INITIAL_WINDOW_SIZE, 0));
    client.send(request(1, fields({ ':path': '/empty' })), request(3), request(5, fields({ ':path': '/large' })));
    await client.until(
      'the end of the empty response',
      ({ id, flags, type }) => id === 1 && type <= HEADERS && (flags & END_STREAM) !== 0,
    );
    await client.until('the head', ({ id, type }) => id === 3 && type === HEADERS);
    await client.until('the head', ({ id, type }) => id === 5 && type === HEADERS);
    await settle(client);
    assert.equal(client.received(3) + client.received(5), 0);
    client.send(setting(INITIAL_WINDOW_SIZE, 5));
    await eventually('the small response arrives', () => client.received(3) === 5);
    await eventually('a part of the large one arrives', () => client.received(5) === 5);
    client.close();
  });

  it('ends the connection when a change of the first window makes another window too large', async () => {
    const { port } = await serve();
    const client = await FrameClient.open(port);
    client.send(post(1), windowUpdate(1, 0x7fffffff - WINDOW));
    await settle(client);
    assert.equal(client.resetCode(1), -1);
    client.send(setting(INITIAL_WINDOW_SIZE, WINDOW + 1));
    assert.equal(await client.untilClosed(), FLOW_CONTROL_ERROR);
  });

  it('gives back the content of an upload that nobody reads', async () => {
    const { port } = await serve();
    const client = await FrameClient.open(port);
    for (let i = 0; i < 40; i += 1) {
      const id = 2 * i + 1;
      client.send(post(id), part(id), part(id), frame(3, 0, id, Buffer.from([0, 0, 0, NO_ERROR])));
      await eventually('there is room', () => windows(client, 0) + WINDOW - (i + 1) * 2 * PART > 4 * PART);
    }
    assert.equal(client.goaway, -1);
    client.close();
  });
});
