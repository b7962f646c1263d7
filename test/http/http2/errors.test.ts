import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { describe, it } from 'node:test';
import type { Request } from '../../../src/http/message.ts';
import { Response } from '../../../src/http/response.ts';
import {
  ACK,
  CONTINUATION,
  DATA,
  END_HEADERS,
  END_STREAM,
  type Frame,
  FrameClient,
  fields,
  frame,
  GOAWAY,
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
import { serveHandler } from '../../support/serve-handler.ts';
import { eventually } from '../../support/wait.ts';

const PROTOCOL_ERROR = 1;
const FLOW_CONTROL_ERROR = 3;
const STREAM_CLOSED = 5;
const FRAME_SIZE_ERROR = 6;
const COMPRESSION_ERROR = 9;
const PUSH_PROMISE = 5;
const PADDED = 0x8;

/** A stream that no test opens. */
const OTHER = 101;
const ZERO = Buffer.alloc(4);
const octets = (...bytes: readonly number[]): Buffer => Buffer.from(bytes);
const post = (id: number, more: readonly (readonly [string, string])[] = []): Buffer =>
  request(id, fields({ ':method': 'POST' }, more), END_HEADERS);
const get = (id: number, ...list: readonly (readonly [string, string])[]): Buffer => request(id, list);

/** Errors of the connection (RFC 9113 section 5.4.1): the frames, the section that asks for the error, and the codes that it allows. */
const CONNECTION_ERRORS: readonly [string, Buffer, readonly number[]][] = [
  ['6.1: DATA without a stream', frame(DATA, 0, 0, 'x'), [PROTOCOL_ERROR]],
  [
    '6.1: DATA with more padding than payload',
    Buffer.concat([post(OTHER), frame(DATA, PADDED, OTHER, octets(4, 0))]),
    [PROTOCOL_ERROR],
  ],
  ['5.1: DATA on an idle stream', frame(DATA, 0, OTHER, 'x'), [PROTOCOL_ERROR, STREAM_CLOSED]],
  ['6.2: HEADERS without a stream', frame(HEADERS, END_HEADERS, 0, section(fields())), [PROTOCOL_ERROR]],
  [
    '6.2: HEADERS with more padding than payload',
    frame(HEADERS, PADDED | END_HEADERS, OTHER, octets(4, 0)),
    [PROTOCOL_ERROR],
  ],
  ['5.1.1: HEADERS on an even stream', request(OTHER + 1), [PROTOCOL_ERROR]],
  ['5.1.1: a stream with a lower number', Buffer.concat([request(OTHER + 2), request(OTHER)]), [PROTOCOL_ERROR]],
  [
    '4.3: a section that cannot be decompressed',
    frame(HEADERS, END_HEADERS, OTHER, octets(0xff, 0xff, 0xff, 0xff, 0xff)),
    [COMPRESSION_ERROR],
  ],
  ['6.3: PRIORITY without a stream', frame(PRIORITY, 0, 0, Buffer.alloc(5)), [PROTOCOL_ERROR]],
  ['6.4: RST_STREAM without a stream', frame(RST_STREAM, 0, 0, ZERO), [PROTOCOL_ERROR]],
  ['6.4: RST_STREAM on an idle stream', frame(RST_STREAM, 0, OTHER, ZERO), [PROTOCOL_ERROR]],
  [
    '6.4: RST_STREAM of a wrong length',
    Buffer.concat([post(OTHER), frame(RST_STREAM, 0, OTHER, Buffer.alloc(8))]),
    [FRAME_SIZE_ERROR],
  ],
  ['6.5: SETTINGS on a stream', frame(SETTINGS, 0, OTHER), [PROTOCOL_ERROR]],
  ['6.5: SETTINGS of a wrong length', frame(SETTINGS, 0, 0, Buffer.alloc(8)), [FRAME_SIZE_ERROR]],
  ['6.5: an acknowledgement with settings', frame(SETTINGS, ACK, 0, Buffer.alloc(6)), [FRAME_SIZE_ERROR]],
  ['6.5.2: a value of ENABLE_PUSH that does not exist', setting(2, 2), [PROTOCOL_ERROR]],
  ['6.5.2: too large an initial window', setting(4, 0x80000000), [FLOW_CONTROL_ERROR]],
  ['6.5.2: too small a largest frame', setting(5, 1), [PROTOCOL_ERROR]],
  ['6.6: PUSH_PROMISE of a client', frame(PUSH_PROMISE, END_HEADERS, OTHER, octets(0, 0, 0, 2)), [PROTOCOL_ERROR]],
  ['6.7: PING on a stream', frame(PING, 0, OTHER, Buffer.alloc(8)), [PROTOCOL_ERROR]],
  ['6.7: PING of a wrong length', frame(PING, 0, 0, Buffer.alloc(4)), [FRAME_SIZE_ERROR]],
  ['6.8: GOAWAY on a stream', frame(GOAWAY, 0, OTHER, Buffer.alloc(8)), [PROTOCOL_ERROR]],
  ['6.9: WINDOW_UPDATE of a wrong length', frame(8, 0, 0, octets(0, 1)), [FRAME_SIZE_ERROR]],
  ['6.9: WINDOW_UPDATE of 0 for the connection', windowUpdate(0, 0), [PROTOCOL_ERROR]],
  ['6.9.1: too large a window of the connection', windowUpdate(0, 0x7fffffff), [FLOW_CONTROL_ERROR]],
  ['6.10: CONTINUATION without HEADERS', frame(CONTINUATION, END_HEADERS, OTHER, 'x'), [PROTOCOL_ERROR]],
  [
    '6.10: another frame within a section',
    Buffer.concat([frame(HEADERS, 0, OTHER, section(fields())), frame(PING, 0, 0, Buffer.alloc(8))]),
    [PROTOCOL_ERROR],
  ],
  [
    '6.10: a section that continues on another stream',
    Buffer.concat([frame(HEADERS, 0, OTHER, section(fields())), frame(CONTINUATION, END_HEADERS, OTHER + 2)]),
    [PROTOCOL_ERROR],
  ],
  [
    '4.2: a frame beyond the largest',
    Buffer.concat([post(OTHER), frame(DATA, 0, OTHER, Buffer.alloc(16_385))]),
    [FRAME_SIZE_ERROR],
  ],
];

/** Errors of a stream (section 5.4.2): the frames for the stream `OTHER`, and the codes that are allowed. */
const STREAM_ERRORS: readonly [string, Buffer, readonly number[]][] = [
  ['6.9: WINDOW_UPDATE of 0', Buffer.concat([post(OTHER), windowUpdate(OTHER, 0)]), [PROTOCOL_ERROR]],
  ['6.9.1: too large a window', Buffer.concat([post(OTHER), windowUpdate(OTHER, 0x7fffffff)]), [FLOW_CONTROL_ERROR]],
  [
    '8.1.1: content beyond its length',
    Buffer.concat([post(OTHER, [['content-length', '1']]), frame(DATA, 0, OTHER, 'xy')]),
    [PROTOCOL_ERROR],
  ],
  [
    '8.1.1: content short of its length',
    Buffer.concat([post(OTHER, [['content-length', '9']]), frame(DATA, END_STREAM, OTHER, 'xy')]),
    [PROTOCOL_ERROR],
  ],
  [
    '8.1: trailers without END_STREAM',
    Buffer.concat([post(OTHER), frame(HEADERS, END_HEADERS, OTHER, section([['a', 'b']]))]),
    [PROTOCOL_ERROR],
  ],
  [
    '8.1: a pseudo-field in trailers',
    Buffer.concat([post(OTHER), frame(HEADERS, END_HEADERS | END_STREAM, OTHER, section([[':path', '/']]))]),
    [PROTOCOL_ERROR],
  ],
  ['8.2.1: a name in upper case', get(OTHER, ...fields(), ['X-Name', 'a']), [PROTOCOL_ERROR]],
  ['8.2.2: a field of the connection', get(OTHER, ...fields(), ['connection', 'close']), [PROTOCOL_ERROR]],
  ['8.2.2: TE other than trailers', get(OTHER, ...fields(), ['te', 'gzip']), [PROTOCOL_ERROR]],
  ['8.3: a pseudo-field after another field', get(OTHER, ['a', 'b'], ...fields()), [PROTOCOL_ERROR]],
  ['8.3: a pseudo-field that does not exist', get(OTHER, ...fields(), [':other', 'a']), [PROTOCOL_ERROR]],
  ['8.3: a pseudo-field of a response', get(OTHER, ...fields(), [':status', '200']), [PROTOCOL_ERROR]],
  ['8.3.1: a request without a method', get(OTHER, ...fields({ ':method': undefined })), [PROTOCOL_ERROR]],
  ['8.3.1: a request without a path', get(OTHER, ...fields({ ':path': undefined })), [PROTOCOL_ERROR]],
  ['8.3.1: an empty path', get(OTHER, ...fields({ ':path': '' })), [PROTOCOL_ERROR]],
  ['8.3.1: a scheme twice', get(OTHER, ...fields(), [':scheme', 'http']), [PROTOCOL_ERROR]],
];

/** What is open on the connection when the error happens. */
const SITUATIONS: readonly [string, readonly Buffer[], number][] = [
  ['nothing is open', [], 0],
  ['a handler is at work', [request(1, fields({ ':path': '/wait' }))], 1],
  [
    'an upload is at work',
    [request(1, fields({ ':method': 'POST', ':path': '/upload' }), END_HEADERS), frame(DATA, 0, 1, 'x')],
    1,
  ],
  ['a response waits for the client', [setting(4, 10), request(1, fields({ ':path': '/long' }))], 1],
  ['a response never ends', [request(1, fields({ ':path': '/endless' }))], 1],
];

/** How a client ends the connection after the error. */
const ENDINGS: readonly [string, (client: FrameClient) => void][] = [
  ['ends', ({ socket }) => void socket.end()],
  ['is reset', ({ socket }) => void socket.resetAndDestroy()],
];

function answer(request: Request): Response | Promise<Response> {
  const gone = (then: () => void): void => {
    request.onGone = then;
  };
  if (request.path === '/long') return Response.fromHeaders(200, [], Buffer.alloc(1_000_000));
  if (request.path === '/endless') {
    return Response.fromHeaders(200, [], {
      start: (sink) => sink.write(Buffer.from('x')),
      pause() {},
      resume() {},
      cancel() {},
    });
  }
  return new Promise((resolve) => {
    const done = (): void => resolve(Response.text(200, 'done'));
    gone(done);
    if (request.path !== '/wait') request.body?.start({ write() {}, end: done, fail: done });
    if (request.path === '/') done();
  });
}

const descriptors = (): number => readdirSync('/proc/self/fd').length;

describe('an error of HTTP/2', { concurrency: 1, skip: process.platform !== 'linux' && 'there is no /proc' }, () => {
  for (const [situation, before, count] of SITUATIONS) {
    for (const [ending, end] of ENDINGS) {
      it(`leaves no connection, stream or descriptor when ${situation} and its client then ${ending}`, async (t) => {
        const server = await serveHandler(t, answer, { protocol: 'HTTP/2' });
        const atFirst = descriptors();
        const wrong: string[] = [];
        for (const [what, frames, codes] of CONNECTION_ERRORS) {
          const client = await FrameClient.open(server.port);
          const had = server.requests.length;
          client.send(...before);
          await eventually('the requests have started', () => server.requests.length === had + count);
          client.send(frames);
          await client.until(`GOAWAY after ${what}`, ({ type }) => type === GOAWAY);
          if (!codes.includes(client.goaway)) wrong.push(`${what}: GOAWAY has the code ${client.goaway}`);
          end(client);
          await eventually(
            `the server has forgotten the connection after ${what}`,
            () => server.connections.size === 0,
          );
          client.close();
        }
        for (const [what, frames, codes] of STREAM_ERRORS) {
          const client = await FrameClient.open(server.port);
          const had = server.requests.length;
          client.send(...before);
          await eventually('the requests have started', () => server.requests.length === had + count);
          client.send(frames);
          const isError = ({ type, id }: Frame) => type === GOAWAY || (type === RST_STREAM && id === OTHER);
          await client.until('an error', isError).catch(() => wrong.push(`${what}: no error`));
          const code = client.goaway < 0 ? client.resetCode(OTHER) : client.goaway;
          if (!codes.includes(code)) wrong.push(`${what}: the code is ${code}`);
          end(client);
          await eventually(
            `the server has forgotten the connection after ${what}`,
            () => server.connections.size === 0,
          );
          client.close();
        }
        assert.deepEqual(wrong, []);
        await eventually('every stream is over', () => server.answered.length === server.requests.length);
        await eventually('no descriptor is left', () => descriptors() === atFirst);
      });
    }
  }
});
