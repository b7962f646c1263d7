import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { HandlerResult } from '../../../src/http/handler.ts';
import type { Request } from '../../../src/http/message.ts';
import { Response } from '../../../src/http/response.ts';
import {
  CONTINUATION,
  DATA,
  END_HEADERS,
  ENHANCE_YOUR_CALM,
  FrameClient,
  fields,
  frame,
  HEADERS,
  PING,
  PRIORITY,
  RST_STREAM,
  request,
  SETTINGS,
  section,
  setting,
  windowUpdate,
} from '../../support/http2-frames.ts';
import { eachTestLifetime } from '../../support/lifetime.ts';
import { serveHandler, type TestServer } from '../../support/serve-handler.ts';
import { eventually } from '../../support/wait.ts';

const INITIAL_WINDOW_SIZE = 4;
const REFUSED_STREAM = 7;
const CANCEL = Buffer.from([0, 0, 0, 8]);

describe('a flood over HTTP/2', () => {
  const eachTest = eachTestLifetime();
  let running = 0;
  let most = 0;
  let handled = 0;

  function start(handle: () => HandlerResult = () => Response.text(200, 'fine\n'), limits = {}) {
    running = 0;
    most = 0;
    handled = 0;
    const counting = ({ path }: Request): HandlerResult => {
      if (path === '/other') return Response.text(200, 'fine\n');
      handled += 1;
      return handle();
    };
    return serveHandler(eachTest, counting, { protocol: 'HTTP/2', limits });
  }

  /** A handler that runs for some turns of the event loop, whether its client stays or not. */
  const slowly = (): HandlerResult => {
    running += 1;
    most = Math.max(most, running);
    return new Promise((resolve) => {
      let turns = 200;
      const turn = () => {
        turns -= 1;
        if (turns > 0) setImmediate(turn);
        else {
          running -= 1;
          resolve(Response.text(200, 'done\n'));
        }
      };
      turn();
    });
  };

  /** Sends `flood` until the server ends the connection, which must happen soon. Returns the code of its GOAWAY. */
  async function endsFlood(server: TestServer, first: Buffer[], flood: (round: number) => Buffer): Promise<number> {
    const client = await FrameClient.open(server.port);
    client.send(...first);
    for (let round = 0; round < 20_000 && !client.closed; round += 100) {
      client.send(...Array.from({ length: 100 }, (_, i) => flood(round + i)));
      if (round % 1000 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    const code = await client.untilClosed();
    await eventually('the server has forgotten the connection', () => server.connections.size === 0);
    assert.equal(server.refused.length, 1);
    const other = await FrameClient.open(server.port);
    other.send(request(1, fields({ ':path': '/other' })));
    await other.until('an answer to another client', ({ id }) => id === 1);
    other.close();
    return code;
  }

  it('of requests that the client resets at once ends its connection and never runs more than 128', async () => {
    const server = await start(slowly);
    const code = await endsFlood(server, [], (round) =>
      Buffer.concat([request(2 * round + 1), frame(RST_STREAM, 0, 2 * round + 1, CANCEL)]),
    );
    assert.equal(code, ENHANCE_YOUR_CALM);
    assert.ok(most <= 128, `${most} ran at once`);
    assert.ok(handled < 1000, `${handled} reached the handler`);
  });

  it('of requests that the client makes the server reset ends its connection and never runs more than 128', async () => {
    const server = await start(() => new Promise(() => {}));
    const client = await FrameClient.open(server.port);
    for (let id = 1; id < 41; id += 2) {
      const before = handled;
      client.send(request(id));
      await eventually('the handler has the request', () => handled > before);
      client.send(windowUpdate(id, 2 ** 31 - 1));
    }
    await client.until('a reset', ({ type, id }) => type === RST_STREAM && id === 39);
    for (let id = 41; id < 2000; id += 2) client.send(request(id), windowUpdate(id, 2 ** 31 - 1));
    await client.untilClosed(); // what the client still sends may cost it the GOAWAY
    assert.equal(server.refused.length, 1);
    assert.ok(handled <= 128, `${handled} ran at once`);
  });

  const floods: [string, Buffer[], (round: number) => Buffer][] = [
    [
      'CONTINUATION',
      [frame(HEADERS, 0, 1, section(fields()))],
      (round) => frame(CONTINUATION, 0, 1, section([[`x-${round}`, 'v']])),
    ],
    ['empty CONTINUATION', [frame(HEADERS, 0, 1, section(fields()))], () => frame(CONTINUATION, 0, 1)],
    ['SETTINGS', [], (round) => setting(INITIAL_WINDOW_SIZE, round)],
    ['empty SETTINGS', [], () => frame(SETTINGS, 0, 0)],
    ['PING', [], () => frame(PING, 0, 0, '12345678')],
    ['unrequested PING ACK', [], () => frame(PING, 1, 0, '12345678')],
    ['empty DATA', [request(1, fields({ ':method': 'POST' }), END_HEADERS)], () => frame(DATA, 0, 1)],
    ['PRIORITY', [], (round) => frame(PRIORITY, 0, 2 * round + 1, Buffer.from([0, 0, 0, 0, 15]))],
    ['WINDOW_UPDATE', [], () => windowUpdate(0, 1)],
    ['WINDOW_UPDATE of a stream', [request(1, fields(), END_HEADERS)], () => windowUpdate(1, 1)],
    ['unknown', [], () => frame(0x42, 0, 0, 'what?')],
  ];
  for (const [kind, first, flood] of floods) {
    it(`of ${kind} frames ends its connection`, async () => {
      const server = await start(() => new Promise(() => {}));
      assert.equal(await endsFlood(server, first, flood), ENHANCE_YOUR_CALM);
    });
  }

  it('of empty HEADERS frames ends its connection', async () => {
    const server = await start();
    const code = await endsFlood(server, [], (round) => frame(HEADERS, END_HEADERS | 1, 2 * round + 1));
    assert.ok(code > 0, `GOAWAY said ${code}`);
    assert.equal(handled, 0);
  });

  it('of streams that never end runs at most 128 and ends its connection', async () => {
    const server = await start(() => new Promise(() => {}));
    const client = await FrameClient.open(server.port);
    for (let i = 0; i < 128; i += 1) client.send(request(2 * i + 1, fields({ ':method': 'POST' }), END_HEADERS));
    await eventually('128 requests run', () => handled === 128);
    for (let i = 128; i < 2000 && !client.closed; i += 1) {
      client.send(request(2 * i + 1, fields({ ':method': 'POST' }), END_HEADERS));
    }
    await client.untilClosed();
    assert.equal(handled, 128);
    assert.equal(server.refused.length, 1);
  });

  it('of abandoned requests is refused while 128 of them run', async () => {
    const server = await start(() => new Promise(() => {}));
    const client = await FrameClient.open(server.port);
    for (let i = 0; i < 128; i += 1) {
      client.send(request(2 * i + 1));
      if (i % 64 === 63) await eventually('the requests run', () => handled === i + 1);
    }
    for (let i = 0; i < 128; i += 1) client.send(frame(RST_STREAM, 0, 2 * i + 1, CANCEL));
    client.send(request(301));
    await client.until('a refusal', ({ type, id }) => type === RST_STREAM && id === 301);
    assert.equal(client.resetCode(301), REFUSED_STREAM);
    assert.equal(handled, 128);
    client.close();
  });

  it('of header bytes that decompress to far more is reset and not stored', async () => {
    const server = await start();
    const client = await FrameClient.open(server.port);
    // One field goes into the table (RFC 7541 section 6.2.1), and then each further byte repeats its 3,900 bytes.
    const value = 'v'.repeat(3900);
    const entry = Buffer.from([0x40, 1, 0x78, 127, ((3900 - 127) % 128) | 128, (3900 - 127) >> 7]);
    const bomb = Buffer.concat([section(fields()), entry, Buffer.from(value), Buffer.alloc(10_000, 0x80 | 62)]);
    client.send(frame(HEADERS, END_HEADERS | 1, 1, bomb));
    await eventually(
      'the end of the stream or connection',
      () => client.closed || client.frames.some(({ id }) => id === 1),
    );
    assert.equal(handled, 0);
    client.close();
  });

  it('of closed windows makes the server give up the responses, then the connection', async () => {
    const limits = { writeTimeoutMs: 200, keepAliveTimeoutMs: 200 };
    const server = await start(() => Response.fromHeaders(200, [], Buffer.alloc(1_000_000)), limits);
    const client = await FrameClient.open(server.port, setting(INITIAL_WINDOW_SIZE, 0));
    client.send(...Array.from({ length: 50 }, (_, i) => request(2 * i + 1)));
    await eventually('the server gives up all responses', () => server.answered.length === 50);
    await client.until('the last reset', ({ type, id }) => type === RST_STREAM && id === 99);
    assert.equal(client.resetCode(99), 8);
    assert.equal(client.received(1), 0);
    assert.equal(await client.untilClosed(), 0);
  });

  it('is not assumed when a client opens its windows twice for each 4 KB of much that is on its way', async () => {
    const server = await start(() => Response.fromHeaders(200, [], Buffer.alloc(8_000_000)));
    const client = await FrameClient.open(server.port, setting(INITIAL_WINDOW_SIZE, 0x7fff0000));
    // As with Go's client, the windows are so large that the updates for all of it come together.
    client.send(windowUpdate(0, 0x7fff0000), ...[1, 3, 5].map((id) => request(id)));
    await eventually('all content arrives', () => [1, 3, 5].every((id) => client.received(id) === 8_000_000));
    for (let i = 0; i < 6000; i += 1) client.send(windowUpdate(0, 4), windowUpdate(1, 4));
    client.send(request(7, fields({ ':path': '/other' })));
    await client.until('another answer', ({ id }) => id === 7);
    assert.equal(client.goaway, -1);
    client.close();
  });

  it('is not assumed when a client measures the way with PING while it gets much', async () => {
    const server = await start(() => Response.fromHeaders(200, [], Buffer.alloc(60_000)));
    const client = await FrameClient.open(server.port);
    client.send(request(1));
    await eventually('all content arrives', () => client.received(1) === 60_000);
    client.send(...Array.from({ length: 500 }, () => frame(PING, 0, 0, '12345678')));
    client.send(request(3, fields({ ':path': '/other' })));
    await client.until('another answer', ({ id }) => id === 3);
    assert.equal(client.goaway, -1);
    client.close();
  });

  it('is not assumed when a client opens its window again and again', async () => {
    const limits = { writeTimeoutMs: 400 };
    const server = await start(() => Response.fromHeaders(200, [], Buffer.alloc(200_000)), limits);
    const client = await FrameClient.open(server.port, setting(INITIAL_WINDOW_SIZE, 0));
    client.send(request(1), windowUpdate(0, 1_000_000));
    for (let got = 0; got < 200_000; got += 20_000) {
      await new Promise((resolve) => setTimeout(resolve, 80));
      client.send(windowUpdate(1, 20_000));
      await eventually('the next part comes', () => client.received(1) >= got + 20_000 || client.closed);
    }
    assert.equal(client.received(1), 200_000);
    client.close();
  });
});
