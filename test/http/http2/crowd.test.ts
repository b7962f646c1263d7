import assert from 'node:assert/strict';
import { connect } from 'node:http2';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { contentMemory } from '../../../src/http/buffering/content-memory.ts';
import type { BodySink, Request } from '../../../src/http/message.ts';
import { Response } from '../../../src/http/response.ts';
import { collectGarbageRepeatedly } from '../../support/collect-garbage.ts';
import {
  DATA,
  END_HEADERS,
  END_STREAM,
  FrameClient,
  fields,
  frame,
  HEADERS,
  INITIAL_WINDOW_SIZE,
  request,
  reset,
  setting,
  windowUpdate,
} from '../../support/http2-frames.ts';
import { eachTestLifetime } from '../../support/lifetime.ts';
import { serveHandler, type TestServer } from '../../support/serve-handler.ts';
import { eventually, PATIENCE_MS, within } from '../../support/wait.ts';

const PAGE_BYTES = 2000;
/** What one connection may have at work when there is no room. */
const CROWD = 8;
const REQUESTS = 20;
/** So many requests are refused, some at a time. What is left of one that is kept is several times the limit. */
const REFUSED = 50;
const REFUSED_ROUNDS = 100;
/** Before them come as many that are not measured, because the first ones leave compiled code. */
const WARM_UP_ROUNDS = 100;
const REFUSED_BYTES_MAX = 200;
/** Uploads of which each is longer than the window of a stream, and a part is longer than that of a connection. */
const UPLOADS = 40;
const UPLOAD_BYTES = 300_000;

async function heapBytes(): Promise<number> {
  await collectGarbageRepeatedly();
  return process.memoryUsage().heapUsed;
}

describe('a connection of HTTP/2 while the memory for content is used up', { concurrency: 1 }, () => {
  const eachTest = eachTestLifetime();
  const before = contentMemory.bytesMax;
  let receivers: BodySink[] = [];

  beforeEach(() => {
    receivers = [];
    contentMemory.bytesMax = 1000;
  });
  afterEach(async () => {
    contentMemory.bytesMax = before;
    await eventually('nothing is held', () => contentMemory.held === 0);
  });

  /** A client that takes one byte of each response, has filled the memory with one, and has sent more requests. */
  async function crowd(more: readonly Buffer[] = []): Promise<{ server: TestServer; client: FrameClient }> {
    const server = await serveHandler(
      eachTest,
      ({ path, body }: Request) => {
        const page = Buffer.alloc(PAGE_BYTES, 'x');
        if (path === '/stream') {
          const start = (sink: BodySink): void => {
            receivers.push(sink);
            for (let block = 0; block < 3; block += 1) sink.write(page);
          };
          return Response.fromHeaders(200, [], { start, pause() {}, resume() {}, cancel() {} });
        }
        if (body === null) return Response.fromHeaders(200, [], page);
        return new Promise((resolve) => {
          let received = 0;
          const end = (): void => resolve(Response.text(200, `${received}`));
          const write = ({ length }: Uint8Array): void => {
            received += length;
          };
          body.start({ write, end, fail: end });
        });
      },
      { protocol: 'HTTP/2' },
    );
    const client = await FrameClient.open(server.port, setting(INITIAL_WINDOW_SIZE, 1));
    client.send(request(1));
    await eventually('the first response waits', () => contentMemory.held > PAGE_BYTES);
    client.send(...Array.from({ length: REQUESTS }, (_, i) => request(2 * i + 3)), ...more);
    await eventually('some requests have started', () => server.requests.length === CROWD);
    return { server, client };
  }

  const ended = (client: FrameClient): number =>
    client.frames.filter(({ type, flags }) => type === DATA && (flags & END_STREAM) !== 0).length;

  it('starts further requests when the client takes responses, and every one is answered', async () => {
    const { server, client } = await crowd();
    client.send(setting(INITIAL_WINDOW_SIZE, 65_535));
    await eventually('all are answered', () => ended(client) === REQUESTS + 1);
    assert.equal(server.requests.length, REQUESTS + 1);
    client.close();
  });

  it('starts further requests when another connection has made room', async () => {
    const { server, client } = await crowd();
    contentMemory.bytesMax = before;
    await eventually('all have started', () => server.requests.length === REQUESTS + 1);
    client.close();
  });

  it('never starts a request whose client gives it up or leaves', async () => {
    const { server, client } = await crowd();
    client.send(reset(2 * REQUESTS + 1));
    await eventually('the request is in the log', () => server.statuses.includes(499));
    client.close();
    await eventually('all requests are in the log', () => server.answered.length === REQUESTS + 1);
    assert.equal(server.requests.length, CROWD);
    assert.equal(server.statuses.filter((status) => status === 499).length, REQUESTS + 1 - CROWD);
    await eventually('the connection is closed', () => server.connections.size === 0);
  });

  it('keeps nothing of requests that are refused meanwhile', async () => {
    const { client } = await crowd();
    client.send(setting(INITIAL_WINDOW_SIZE, 1000));
    let id = 2 * REQUESTS + 3;
    let before = 0;
    for (let round = 0; round < WARM_UP_ROUNDS + REFUSED_ROUNDS; round += 1) {
      if (round === WARM_UP_ROUNDS) before = await heapBytes();
      const refused = Array.from({ length: REFUSED }, (_, i) =>
        request(id + 2 * i, fields({ ':path': `/${'x'.repeat(9000)}` })),
      );
      id += 2 * REFUSED;
      client.frames.length = 0;
      client.send(windowUpdate(0, 100 * REFUSED), ...refused);
      await eventually('all are refused', () => ended(client) === REFUSED);
    }
    client.frames.length = 0;
    const perRequest = ((await heapBytes()) - before) / (REFUSED * REFUSED_ROUNDS);
    assert.ok(perRequest < REFUSED_BYTES_MAX, `${perRequest} bytes are left of each request`);
    client.close();
  });

  it('keeps the content that arrives for a request that waits', async () => {
    const id = 2 * REQUESTS + 3;
    const post = request(id, fields({ ':method': 'POST' }), END_HEADERS);
    const { client } = await crowd([post, frame(DATA, 0, id, 'abc'), frame(DATA, END_STREAM, id, 'de')]);
    client.send(setting(INITIAL_WINDOW_SIZE, 65_535));
    await eventually('the upload is answered', () => client.received(id) === 1);
    assert.equal(client.frames.find((one) => one.type === DATA && one.id === id)?.payload.toString(), '5');
    client.close();
  });

  it('has room for the content of those at work, whatever the others send ahead', async () => {
    const { server, client } = await crowd();
    const session = connect(`http://127.0.0.1:${server.port}`, { maxSessionMemory: 100 });
    const content = Buffer.alloc(UPLOAD_BYTES);
    const answers = Array.from({ length: UPLOADS }, async () => {
      const stream = session.request({ ':method': 'POST', ':path': '/' });
      stream.end(content);
      return text(stream);
    });
    const all = within(PATIENCE_MS, 'all uploads are answered', () => Promise.all(answers));
    assert.deepEqual(await all.finally(() => session.destroy()), Array(UPLOADS).fill(`${UPLOAD_BYTES}`));
    client.close();
  });

  it('lets other connections have their share', async () => {
    const { server, client } = await crowd();
    const other = await FrameClient.open(server.port);
    other.send(request(1));
    await other.until('the answer', ({ type, flags }) => type === DATA && (flags & END_STREAM) !== 0);
    client.close();
    other.close();
  });

  it('counts every block of a stream, and none of them twice', async () => {
    const { client } = await crowd([request(2 * REQUESTS + 3, fields({ ':path': '/stream' }))]);
    contentMemory.bytesMax = before;
    await eventually('the stream has started', () => receivers.length === 1);
    const whole = contentMemory.held;
    client.send(windowUpdate(2 * REQUESTS + 3, PAGE_BYTES));
    await eventually('a block was taken', () => client.received(2 * REQUESTS + 3) > PAGE_BYTES);
    assert.ok(contentMemory.held < whole && contentMemory.held >= whole - 2 * PAGE_BYTES);
    client.send(reset(2 * REQUESTS + 3));
    await eventually('its other blocks are forgotten', () => contentMemory.held <= whole - 3 * PAGE_BYTES);
    assert.ok(client.frames.some(({ type }) => type === HEADERS));
    client.close();
  });
});
