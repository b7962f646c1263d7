import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Request } from '../../../src/http/message.ts';
import { Response } from '../../../src/http/response.ts';
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
  settings,
  windowUpdate,
} from '../../support/http2-frames.ts';
import { eachTestLifetime } from '../../support/lifetime.ts';
import { serveHandler } from '../../support/serve-handler.ts';
import { eventually, untilStable } from '../../support/wait.ts';

const WINDOWS = settings([INITIAL_WINDOW_SIZE, 0x7fffffff]);
const REQUESTS = 10_000;

describe('a client of HTTP/2 that does not read', () => {
  const eachTest = eachTestLifetime();
  const long = Response.fromHeaders(200, ['X-Long', 'x'.repeat(8000)], null);

  for (const [what, list] of [
    ['HEAD', fields({ ':method': 'HEAD' })],
    ['GET', fields()],
  ] as const) {
    it(`cannot make the server hold the responses to ${REQUESTS} ${what} requests`, async () => {
      const limits = { http2StreamsMax: REQUESTS };
      const server = await serveHandler(eachTest, () => long, { protocol: 'HTTP/2', limits });
      const client = await FrameClient.open(server.port, WINDOWS);
      client.send(windowUpdate(0, 0x7fff0000));
      client.socket.pause();
      for (let round = 0; round < REQUESTS; round += 100) {
        client.send(...Array.from({ length: 100 }, (_, i) => request(2 * (round + i) + 1, list)));
        await new Promise((resolve) => setImmediate(resolve));
      }
      const answered = await untilStable(() => server.requests.length);
      assert.ok(answered < REQUESTS / 2, `${answered} were answered`);
      client.socket.resume();
      await eventually('it gets all responses when it reads', () => client.frames.at(-1)?.id === 2 * REQUESTS - 1);
      client.close();
    });
  }

  it('gets 100 Continue as soon as it reads, and then its response', async () => {
    const answer = ({ body }: Request): Response | Promise<Response> => {
      if (body === null) return Response.fromHeaders(200, [], Buffer.alloc(20_000_000));
      return new Promise((resolve) => {
        const end = (): void => resolve(Response.text(200, 'fine\n'));
        body.start({ write() {}, end, fail: end });
      });
    };
    const server = await serveHandler(eachTest, answer, { protocol: 'HTTP/2' });
    const client = await FrameClient.open(server.port, WINDOWS);
    client.socket.pause();
    client.send(windowUpdate(0, 0x7fff0000), request(1));
    await eventually('the response is at work', () => server.requests.length === 1);
    client.send(request(3, fields({ ':method': 'POST' }, [['expect', '100-continue']]), END_HEADERS));
    await eventually('the upload is at work', () => server.requests.length === 2);
    client.socket.resume();
    const interim = await client.until('100 Continue', ({ type, id }) => type === HEADERS && id === 3);
    assert.equal(interim.flags & END_STREAM, 0);
    client.send(frame(DATA, END_STREAM, 3, 'x'));
    await client.until('the response', ({ type, id }) => type === DATA && id === 3);
    client.close();
  });
});
