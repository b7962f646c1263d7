import assert from 'node:assert/strict';
import { closeSync, existsSync, openSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { contentMemory } from '../../../src/http/buffering/content-memory.ts';
import type { FileBody, Request } from '../../../src/http/message.ts';
import { Response } from '../../../src/http/response.ts';
import { UpgradeResponse } from '../../../src/http/upgrade-response.ts';
import { Authority, hostWith, NO_OPENSSL } from '../../support/certificates.ts';
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
import { serveHandler, type TestServer } from '../../support/serve-handler.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
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

const TUNNEL = fields({ ':method': 'CONNECT', ':protocol': 'websocket', ':path': '/tunnel' }, [
  ['sec-websocket-version', '13'],
]);

/** What is open on the connection when the error happens, and how many requests this takes. */
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
  ['a file waits for the client', [setting(4, 10), request(1, fields({ ':path': '/file' }))], 1],
  ['a file is sent', [request(1, fields({ ':path': '/file' })), windowUpdate(0, 1_000_000)], 1],
  ['a WebSocket is open', [request(1, TUNNEL, END_HEADERS), frame(DATA, 0, 1, 'x')], 1],
  [
    'all of these are open',
    [
      setting(4, 10),
      ...['/wait', '/long', '/endless', '/file'].map((path, i) => request(2 * i + 1, fields({ ':path': path }))),
      request(9, TUNNEL, END_HEADERS),
    ],
    5,
  ],
];

/** How a client ends the connection after the error. */
const ENDINGS: readonly [string, (client: FrameClient) => void][] = [
  ['ends', ({ socket }) => void socket.end()],
  ['is reset', ({ raw }) => void raw.resetAndDestroy()],
];

let directory = '';
/** What tunnels and files have taken and not given back. */
let inUse = 0;

function file(): FileBody {
  const path = join(directory, 'file');
  if (!existsSync(path)) writeFileSync(path, Buffer.alloc(1_000_000));
  const fd = openSync(path, 'r');
  inUse += 1;
  const release = (): void => {
    inUse -= 1;
    closeSync(fd);
  };
  return { fd, start: 0, end: 1_000_000, release };
}

function tunnel(): Response {
  inUse += 1;
  return new UpgradeResponse('websocket', [], (socket) => {
    socket.on('error', () => {});
    socket.on('close', () => {
      inUse -= 1;
    });
    socket.resume();
    socket.write('hello');
  });
}

function answer(request: Request): Response | Promise<Response> {
  const gone = (then: () => void): void => {
    request.onGone = then;
  };
  if (request.path === '/tunnel') return tunnel();
  if (request.path === '/file') return Response.fromHeaders(200, [], file());
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
  async function serve(t: TestContext, isTls: boolean): Promise<TestServer> {
    directory = temporaryDirectory(t);
    inUse = 0;
    if (!isTls) return serveHandler(t, answer, { protocol: 'HTTP/2' });
    const pair = new Authority(directory).issue('a', 'ec', ['a.example']);
    return serveHandler(t, answer, { tls: { hosts: [hostWith(pair)], http2: true } });
  }

  /** A client that has opened what the situation has. */
  async function open({ port, requests }: TestServer, before: readonly Buffer[], count: number, isTls: boolean) {
    const client = await FrameClient.open(port, frame(SETTINGS, 0, 0), isTls);
    const had = requests.length;
    client.send(...before);
    await eventually('the requests have started', () => requests.length === had + count);
    return client;
  }

  for (const isTls of [false, true]) {
    // With TLS, only the connection under the protocol is different.
    const situations = isTls ? SITUATIONS.slice(-1) : SITUATIONS;
    for (const [situation, before, count] of situations) {
      for (const [ending, end] of ENDINGS) {
        const title = `leaves no connection, stream or descriptor when ${situation} and its client then ${ending}`;
        it(`${title}${isTls ? ', with TLS' : ''}`, { skip: isTls && NO_OPENSSL }, async (t) => {
          const server = await serve(t, isTls);
          const atFirst = descriptors();
          const wrong: string[] = [];
          const finish = async (client: FrameClient, what: string): Promise<void> => {
            end(client);
            await eventually(
              `the server has forgotten the connection after ${what}`,
              () => server.connections.size === 0,
            );
            client.close();
          };
          for (const [what, frames, codes] of CONNECTION_ERRORS) {
            const client = await open(server, before, count, isTls);
            client.send(frames);
            await client.until(`GOAWAY after ${what}`, ({ type }) => type === GOAWAY);
            if (!codes.includes(client.goaway)) wrong.push(`${what}: GOAWAY has the code ${client.goaway}`);
            await finish(client, what);
          }
          for (const [what, frames, codes] of STREAM_ERRORS) {
            const client = await open(server, before, count, isTls);
            client.send(frames);
            const isError = ({ type, id }: Frame) => type === GOAWAY || (type === RST_STREAM && id === OTHER);
            await client.until('an error', isError).catch(() => wrong.push(`${what}: no error`));
            const code = client.goaway < 0 ? client.resetCode(OTHER) : client.goaway;
            if (!codes.includes(code)) wrong.push(`${what}: the code is ${code}`);
            await finish(client, what);
          }
          assert.deepEqual(wrong, []);
          await eventually('every stream is over', () => server.answered.length === server.requests.length);
          await eventually('files and tunnels are closed', () => inUse === 0);
          await eventually('no content is held', () => contentMemory.held === 0);
          await eventually('no descriptor is left', () => descriptors() === atFirst);
        });
      }
    }

    it(`leaves nothing when its clients stay after GOAWAY, whatever was open${isTls ? ', with TLS' : ''}`, {
      skip: isTls && NO_OPENSSL,
    }, async (t) => {
      const server = await serve(t, isTls);
      const atFirst = descriptors();
      const clients: FrameClient[] = [];
      for (const [, before, count] of situations) {
        for (const [what, frames] of CONNECTION_ERRORS) {
          const client = await open(server, before, count, isTls);
          clients.push(client);
          for (const socket of [client.socket, client.raw]) socket.allowHalfOpen = true;
          client.send(frames);
          await client.until(`GOAWAY after ${what}`, ({ type }) => type === GOAWAY);
        }
      }
      await eventually('every stream is over', () => server.answered.length === server.requests.length);
      await eventually('the server has closed all connections', () => server.connections.size === 0);
      for (const client of clients) client.close();
      await eventually('files and tunnels are closed', () => inUse === 0);
      await eventually('no content is held', () => contentMemory.held === 0);
      await eventually('no descriptor is left', () => descriptors() === atFirst);
    });
  }
});
