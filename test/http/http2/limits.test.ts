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
  HEADER_TABLE_SIZE,
  HEADERS,
  REFUSED_STREAM,
  RST_STREAM,
  request,
  settings,
} from '../../support/http2-frames.ts';
import { eachTestLifetime } from '../../support/lifetime.ts';
import { serveHandler } from '../../support/serve-handler.ts';

const STREAMS_MAX = 20;

describe('limits of a connection of HTTP/2', () => {
  const eachTest = eachTestLifetime();

  it('count a stream until its end has been sent, so that one packet cannot ask for any number of responses', async () => {
    const long = Response.fromHeaders(200, ['X-Long', 'x'.repeat(8000)], null);
    const limits = { http2StreamsMax: STREAMS_MAX, http2ResetsMax: 100_000 };
    const server = await serveHandler(eachTest, () => long, { protocol: 'HTTP/2', limits });
    const client = await FrameClient.open(server.port);
    const count = 500;
    client.send(...Array.from({ length: count }, (_, i) => request(2 * i + 1)));
    await client.until('the answer to the last one', ({ id }) => id === 2 * count - 1);
    const answered = client.frames.filter(({ type, id }) => type === HEADERS && id > 0).map(({ id }) => id);
    const refused = client.frames.filter(({ type }) => type === RST_STREAM).map(({ id }) => id);
    assert.equal(answered.length + refused.length, count);
    assert.ok(answered.length < count / 2, `${answered.length} are answered`);
    assert.deepEqual(
      answered.slice(0, STREAMS_MAX),
      Array.from({ length: STREAMS_MAX }, (_, i) => 2 * i + 1),
    );
    for (const id of refused) assert.equal(client.resetCode(id), REFUSED_STREAM);
    client.close();
  });

  it('let a client ask again as soon as it has an answer', async () => {
    const limits = { http2StreamsMax: STREAMS_MAX };
    const server = await serveHandler(eachTest, () => Response.text(200, 'fine\n'), { protocol: 'HTTP/2', limits });
    const client = await FrameClient.open(server.port);
    for (let round = 0; round < 50; round += 1) {
      const first = 2 * STREAMS_MAX * round + 1;
      client.send(...Array.from({ length: STREAMS_MAX }, (_, i) => request(first + 2 * i)));
      await client.until('the last answer', ({ type, id }) => type === DATA && id === first + 2 * (STREAMS_MAX - 1));
    }
    assert.equal(client.frames.filter(({ type }) => type === RST_STREAM).length, 0);
    client.close();
  });

  it('refuse trailers that are longer than a header section may be', async () => {
    const answer = ({ body }: Request): Promise<Response> =>
      new Promise((resolve, reject) => {
        body?.start({ write() {}, end: () => resolve(Response.text(200, 'fine\n')), fail: reject });
      });
    const server = await serveHandler(eachTest, answer, { protocol: 'HTTP/2', limits: { trailerBytesMax: 1_000_000 } });
    const client = await FrameClient.open(server.port);
    client.send(request(1, fields({ ':method': 'POST' }), END_HEADERS));
    client.send(frame(DATA, 0, 1, 'content'));
    // One field of 1000 bytes that goes into the table, and then a byte for each time that it recurs.
    const field = Buffer.concat([
      Buffer.of(0x40, 1),
      Buffer.from('x'),
      Buffer.of(0x7f, 0xe9, 0x06),
      Buffer.alloc(1000, 'x'),
    ]);
    const trailers = Buffer.concat([field, Buffer.alloc(200, 0xbe)]);
    client.send(frame(HEADERS, END_HEADERS | END_STREAM, 1, trailers));
    await client.until('its content', ({ type, id }) => type === DATA && id === 1);
    assert.deepEqual(server.statuses, [431]);
    client.close();
  });

  it('shrink the table of the responses to the smallest size that the client names, then to the last (RFC 7541 section 4.2)', async () => {
    const server = await serveHandler(eachTest, () => Response.fromHeaders(204, ['X-A', 'b'], null), {
      protocol: 'HTTP/2',
    });
    const client = await FrameClient.open(server.port);
    client.send(request(1));
    await client.until('a response', ({ type, id }) => type === HEADERS && id === 1);
    client.send(settings([HEADER_TABLE_SIZE, 0], [HEADER_TABLE_SIZE, 100]), request(3));
    const { payload } = await client.until('the next one', ({ type, id }) => type === HEADERS && id === 3);
    assert.equal(payload.subarray(0, 3).toString('hex'), '203f45', 'size 0, then size 100');
    client.close();
  });
});
