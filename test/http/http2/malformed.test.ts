import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { Response } from '../../../src/http/response.ts';
import {
  DATA,
  END_HEADERS,
  END_STREAM,
  FrameClient,
  fields,
  frame,
  GOAWAY,
  HEADERS,
  PROTOCOL_ERROR,
  RST_STREAM,
  request,
  reset,
  STREAM_CLOSED,
  section,
  windowUpdate,
} from '../../support/http2-frames.ts';
import { suiteLifetime } from '../../support/lifetime.ts';
import { serveHandler, type TestServer } from '../../support/serve-handler.ts';

type Fields = readonly (readonly [string, string])[];

/** Header sections that RFC 9113 calls malformed, with the section of it that does. */
const MALFORMED: readonly (readonly [string, Fields])[] = [
  ...['\0', '\r', '\n', '\r\n', '\x01', '\x1f', '\x7f'].map(
    (character) => [`8.2.1: ${JSON.stringify(character)} in a value`, fields({}, [['a', `b${character}c`]])] as const,
  ),
  ...[' b', 'b ', '\tb', 'b\t', ' ', '\t'].map(
    (value) => [`8.2.1: the value ${JSON.stringify(value)}`, fields({}, [['a', value]])] as const,
  ),
  ...['', ' ', 'a b', 'a\0', 'a\x7f', 'a:b', 'a\r\nb', 'A', 'aB', 'Host', '\xe4', 'a,b', 'a(', ':'].map(
    (name) => [`8.2.1: the name ${JSON.stringify(name)}`, fields({}, [[name, 'b']])] as const,
  ),
  ...['connection', 'proxy-connection', 'keep-alive', 'transfer-encoding', 'upgrade'].flatMap((name) => [
    [`8.2.2: ${name}`, fields({}, [[name, 'x']])] as const,
    [`8.2.2: ${name} without a value`, fields({}, [[name, '']])] as const,
  ]),
  ...['gzip', 'trailers, gzip', 'trailers;q=1', '', 'chunked'].map(
    (value) => [`8.2.2: the TE ${JSON.stringify(value)}`, fields({}, [['te', value]])] as const,
  ),
  ...[':method', ':scheme', ':path', ':authority'].flatMap((name) => [
    [`8.3: ${name} twice`, fields({}, [[name, 'x']])] as const,
    [
      `8.3: ${name} after another field`,
      [...fields({ [name]: undefined }), ['a', 'b'], [name, 'x']] as Fields,
    ] as const,
  ]),
  ...[':status', ':other', ':Method', ':method ', ':'].map(
    (name) => [`8.3: the pseudo-field ${JSON.stringify(name)}`, [...fields(), [name, 'x']] as Fields] as const,
  ),
  ...[':method', ':scheme', ':path'].map((name) => [`8.3.1: no ${name}`, fields({ [name]: undefined })] as const),
  ['8.3.1: an empty :path', fields({ ':path': '' })],
  ['8.3.1: an empty :path of OPTIONS', fields({ ':method': 'OPTIONS', ':path': '' })],
  ['8.3.1: no fields', []],
  ['8.5: CONNECT with a path', fields({ ':method': 'CONNECT', ':scheme': undefined })],
  ['8.5: CONNECT without an authority', [[':method', 'CONNECT']]],
  ['RFC 8441 4: :protocol without CONNECT', [...fields(), [':protocol', 'websocket']]],
];

/** Content and trailers that are malformed: the fields of the request, and what follows its HEADERS frame. */
const BROKEN: readonly (readonly [string, Fields, readonly Buffer[]])[] = [
  ['content beyond its length', [['content-length', '1']], [frame(DATA, 0, 1, 'xy')]],
  [
    'content beyond its length in a second frame',
    [['content-length', '1']],
    [frame(DATA, 0, 1, 'x'), frame(DATA, END_STREAM, 1, 'y')],
  ],
  [
    'content with a length of 0',
    [
      ['content-length', '0'],
      ['x-wait', ''],
    ],
    [frame(DATA, END_STREAM, 1, 'x')],
  ],
  ['content short of its length', [['content-length', '3']], [frame(DATA, END_STREAM, 1, 'xy')]],
  ['no content with a length', [['content-length', '3']], [frame(DATA, END_STREAM, 1)]],
  [
    'content short of its length before trailers',
    [['content-length', '3']],
    [frame(DATA, 0, 1, 'xy'), frame(HEADERS, END_HEADERS | END_STREAM, 1, section([['a', 'b']]))],
  ],
  ['trailers that do not end the stream', [], [frame(HEADERS, END_HEADERS, 1, section([['a', 'b']]))]],
  ...[':path', ':status', ':other', 'A', 'a b', 'connection', 'transfer-encoding', 'upgrade', 'keep-alive'].map(
    (name) =>
      [
        `the trailer ${JSON.stringify(name)}`,
        [],
        [frame(HEADERS, END_HEADERS | END_STREAM, 1, section([[name, 'x']]))],
      ] as const,
  ),
  ...['a\0', 'a\r\nb: c', ' a'].map(
    (value) =>
      [
        `a trailer of ${JSON.stringify(value)}`,
        [],
        [frame(HEADERS, END_HEADERS | END_STREAM, 1, section([['a', value]]))],
      ] as const,
  ),
];

/** Frames that no state of their stream allows (section 5.1), each after a request on stream 3, and the code of the GOAWAY. */
const STATES: readonly (readonly [string, readonly Buffer[], number])[] = [
  [
    'DATA on a stream that is half closed',
    [request(3, fields({ ':path': '/wait' })), frame(DATA, 0, 3, 'x')],
    STREAM_CLOSED,
  ],
  ['HEADERS on a stream that is half closed', [request(3, fields({ ':path': '/wait' })), request(3)], STREAM_CLOSED],
  ['DATA on a closed stream', [request(3), frame(DATA, 0, 3, 'x')], STREAM_CLOSED],
  ['HEADERS on a closed stream', [request(3), request(3)], STREAM_CLOSED],
  [
    'HEADERS on a stream that the client reset',
    [request(3, fields({ ':path': '/wait' })), reset(3), request(3)],
    STREAM_CLOSED,
  ],
  ['DATA on a skipped stream', [request(3), frame(DATA, 0, 1, 'x')], STREAM_CLOSED],
  ['HEADERS on a skipped stream', [request(3), request(1)], PROTOCOL_ERROR],
  ['DATA on an idle stream', [request(3), frame(DATA, 0, 5, 'x')], PROTOCOL_ERROR],
  ['RST_STREAM on an idle stream', [request(3), reset(5)], PROTOCOL_ERROR],
  ['WINDOW_UPDATE on an idle stream', [request(3), windowUpdate(5, 1)], PROTOCOL_ERROR],
  ['DATA on a stream of the server', [request(3), frame(DATA, 0, 2, 'x')], PROTOCOL_ERROR],
  ['RST_STREAM on a stream of the server', [request(3), reset(2)], PROTOCOL_ERROR],
  ['WINDOW_UPDATE on a stream of the server', [request(3), windowUpdate(2, 1)], PROTOCOL_ERROR],
];

describe('a malformed message of HTTP/2', () => {
  const suite = suiteLifetime();
  let server: TestServer;
  let ended = 0;

  before(async () => {
    server = await serveHandler(
      suite,
      ({ body, path, headers }) => {
        if (path === '/wait' || headers.includes('x-wait')) return new Promise(() => {});
        if (body === null) return Response.text(200, 'fine\n');
        return new Promise((resolve) => {
          const end = (): void => {
            ended += 1;
            resolve(Response.text(200, 'ended\n'));
          };
          body.start({ write() {}, end, fail: () => resolve(Response.text(200, 'failed\n')) });
        });
      },
      { protocol: 'HTTP/2' },
    );
  });

  /** Sends `frames` and a good request behind them, and waits for its answer. Returns the error code of the reset of stream 1. */
  async function codeAfter(...frames: readonly Buffer[]): Promise<number> {
    const client = await FrameClient.open(server.port);
    client.send(...frames, request(3));
    const isAnswer = ({ type, id }: { type: number; id: number }): boolean => id === 3 && type === HEADERS;
    await client.until('an answer or the end', (one) => one.type === GOAWAY || isAnswer(one));
    client.close();
    assert.equal(client.goaway, -1, 'the connection goes on');
    return client.resetCode(1);
  }

  for (const [what, list] of MALFORMED) {
    it(`is reset and reaches no handler: ${what}`, async () => {
      for (const flags of [END_HEADERS | END_STREAM, END_HEADERS]) {
        const had = server.requests.length;
        assert.equal(await codeAfter(request(1, list, flags)), PROTOCOL_ERROR);
        assert.equal(server.requests.length, had + 1, 'only the good request reaches the handler');
      }
    });
  }

  it('is reset and reaches no handler when it repeats', async () => {
    const client = await FrameClient.open(server.port);
    const had = server.requests.length;
    for (let id = 1; id < 40; id += 2) client.send(request(id, fields({}, [['te', 'gzip']])));
    await client.until('the last reset', ({ type, id }) => type === RST_STREAM && id === 39);
    client.close();
    assert.equal(server.requests.length, had);
  });

  it('is reset and reaches no handler: a length without content', async () => {
    for (const length of ['1', '999999999999999']) {
      const had = server.requests.length;
      assert.equal(await codeAfter(request(1, fields({}, [['content-length', length]]))), PROTOCOL_ERROR);
      assert.equal(server.requests.length, had + 1);
    }
    assert.equal(await codeAfter(request(1, fields({}, [['content-length', '0']]))), -1);
  });

  for (const [what, more, frames] of BROKEN) {
    it(`is reset: ${what}`, async () => {
      ended = 0;
      const head = request(1, fields({ ':method': 'POST' }, more), END_HEADERS);
      assert.equal(await codeAfter(head, ...frames), PROTOCOL_ERROR);
      assert.equal(ended, 0, 'the application does not take it for complete');
    });
  }

  for (const [what, frames, code] of STATES) {
    it(`ends the connection: ${what}`, async () => {
      const client = await FrameClient.open(server.port);
      client.send(...frames);
      assert.equal(await client.untilClosed(), code);
    });
  }
});
