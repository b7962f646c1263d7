import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { startBackend } from '../../support/backend.ts';
import { type FrameBackend, responseHead, startFrameBackend } from '../../support/frame-backend.ts';
import { ask } from '../../support/http-client.ts';
import { encode, parseAnswer } from '../../support/http-message.ts';
import {
  CONTINUATION,
  DATA,
  END_HEADERS,
  END_STREAM,
  type Frame,
  frame,
  GOAWAY,
  HEADERS,
  PING,
  PRIORITY_UPDATE,
  PUSH_PROMISE,
  RST_STREAM,
  SETTINGS,
  section,
  setting,
  windowUpdate,
} from '../../support/http2-frames.ts';
import { suiteLifetime } from '../../support/lifetime.ts';
import { type ProxyServer, serveProxy } from '../../support/serve-proxy.ts';
import { SocketClient } from '../../support/socket-client.ts';
import { eventually } from '../../support/wait.ts';

type Fields = readonly (readonly [string, string])[];

const OK = [':status', '200'] as const;
const reset = (id: number, code: number) => frame(RST_STREAM, 0, id, Buffer.from([0, 0, 0, code]));
const word = (value: number) => Buffer.from([0, 0, 0, value]);
const head =
  (...fields: Fields) =>
  (id: number) =>
    responseHead(id, fields);
const content =
  (fields: Fields, ...frames: ((id: number) => Buffer)[]) =>
  (id: number) =>
    Buffer.concat([responseHead(id, fields, false), ...frames.map((make) => make(id))]);
const data =
  (text: string, ends = true) =>
  (id: number) =>
    frame(DATA, ends ? END_STREAM : 0, id, text);
const manyFields: Fields = Array.from({ length: 101 }, (_, i) => [`x-${i}`, 'b'] as const);

/** Answers that cause 502: description, frames, and a pattern for the log. */
const REFUSED: readonly [string, (id: number) => Buffer, RegExp][] = [
  ['a section that HPACK cannot read', (id) => frame(HEADERS, END_HEADERS | END_STREAM, id, '\x80'), /an index is 0/],
  ['an index beyond the tables', (id) => frame(HEADERS, END_HEADERS | END_STREAM, id, '\xff\x64'), /beyond the tables/],
  ['no :status', head(['x-a', 'b']), /does not start with :status/],
  ['no field', head(), /does not start with :status/],
  [':status after another field', head(['x-a', 'b'], OK), /does not start with :status/],
  ['two of :status', head(OK, OK), /pseudo-header field besides :status/],
  ['a pseudo-header field of requests', head(OK, [':path', '/']), /pseudo-header field besides :status/],
  ['an unknown pseudo-header field', head(OK, [':secret', '1']), /pseudo-header field besides :status/],
  ['a status of two digits', head([':status', '20']), /between 100 and 599/],
  ['a status of four digits', head([':status', '2000']), /between 100 and 599/],
  ['a status below 100', head([':status', '099']), /between 100 and 599/],
  ['a status above 599', head([':status', '600']), /between 100 and 599/],
  ['a signed status', head([':status', '+20']), /between 100 and 599/],
  ['a status with a phrase', head([':status', '200 OK']), /between 100 and 599/],
  ['an empty status', head([':status', '']), /between 100 and 599/],
  ['a switch of protocols', head([':status', '101'], ['x-a', 'b']), /no status 101/],
  ['an upper-case name', head(OK, ['X-A', 'b']), /upper-case/],
  ['a space in a name', head(OK, ['x a', 'b']), /invalid character/],
  ['an 8-bit name', head(OK, ['x-\xe4', 'b']), /invalid character/],
  ['an empty name', head(OK, ['', 'b']), /name is empty/],
  ['a NUL in a value', head(OK, ['x-a', 'a\0b']), /control character/],
  ['a CR in a value', head(OK, ['x-a', 'a\rset-cookie: b=c']), /line break/],
  ['an LF in a value', head(OK, ['x-a', 'a\nset-cookie: b=c']), /line break/],
  ['white space before a value', head(OK, ['x-a', ' b']), /white space/],
  ['connection', head(OK, ['connection', 'close']), /connection of HTTP\/1.1/],
  ['keep-alive', head(OK, ['keep-alive', 'timeout=5']), /connection of HTTP\/1.1/],
  ['proxy-connection', head(OK, ['proxy-connection', 'close']), /connection of HTTP\/1.1/],
  ['transfer-encoding', head(OK, ['transfer-encoding', 'chunked']), /connection of HTTP\/1.1/],
  ['upgrade', head(OK, ['upgrade', 'websocket']), /connection of HTTP\/1.1/],
  ['two different lengths', head(OK, ['content-length', '0'], ['content-length', '1']), /Content-Length/],
  ['the same length twice', head(OK, ['content-length', '0'], ['content-length', '0']), /Content-Length/],
  ['a list of lengths', head(OK, ['content-length', '0, 0']), /Content-Length/],
  ['a signed length', head(OK, ['content-length', '+0']), /Content-Length/],
  ['a hexadecimal length', head(OK, ['content-length', '0x0']), /Content-Length/],
  ['an empty length', head(OK, ['content-length', '']), /Content-Length/],
  ['a length past counting', head(OK, ['content-length', '9'.repeat(20)]), /Content-Length/],
  ['a length without content', head(OK, ['content-length', '5']), /shorter than its Content-Length/],
  ['too little content', content([OK, ['content-length', '5']], data('abc')), /shorter than its Content-Length/],
  ['too much content', content([OK, ['content-length', '5']], data('abcdef')), /longer than its Content-Length/],
  ['content before the response', data('abc'), /content came before the response/],
  ['an empty stream', data(''), /ended before the response/],
  ['too many fields', head(OK, ...manyFields), /too many header lines/],
  [
    'fields that are too large',
    head(OK, ['x-a', 'a'.repeat(16_000)], ['x-b', 'a'.repeat(17_000)]),
    /too long|CONTINUATION|allowed/,
  ],
  [
    'too many interim responses',
    (id) => Buffer.concat(Array(20).fill(responseHead(id, [[':status', '103']], false))),
    /interim responses/,
  ],
  ['an interim response that ends its stream', head([':status', '103']), /interim response ends/],
  [
    'an interim response with content',
    (id) =>
      responseHead(
        id,
        [
          [':status', '103'],
          ['content-length', '5'],
        ],
        false,
      ),
    /interim response has content/,
  ],
  [
    'a frame after the end',
    (id) => Buffer.concat([responseHead(id, [OK]), frame(DATA, 0, id, 'more')]),
    /after the end/,
  ],
  [
    'trailers that do not end',
    content([OK], (id) => responseHead(id, [['x-a', 'b']], false)),
    /do not end their stream/,
  ],
  ['a trailer that is a pseudo-header field', content([OK], head([':status', '200'])), /trailer field is malformed/],
  ['a trailer with an invalid name', content([OK], head(['X-A', 'b'])), /trailer field is malformed/],
  ['a trailer of a connection', content([OK], head(['connection', 'x-a'])), /trailer field is malformed/],
  ['a trailer that frames', content([OK], head(['content-length', '5'])), /trailer field frames/],
  ['RST_STREAM', (id) => reset(id, 2), /reset the stream with INTERNAL_ERROR/],
  ['RST_STREAM after the head', content([OK], (id) => reset(id, 8)), /reset the stream with CANCEL/],
  ['RST_STREAM with an unknown code', (id) => reset(id, 99), /reset the stream with error 99/],
  [
    'PUSH_PROMISE',
    (id) => frame(PUSH_PROMISE, END_HEADERS, id, Buffer.concat([word(2), section([[':method', 'GET']])])),
    /PUSH_PROMISE/,
  ],
  ['a stream of its own', () => responseHead(2, [OK]), /stream that was not started/],
  ['a response to a later stream', (id) => responseHead(id + 2, [OK]), /stream that was not started/],
  ['DATA for no stream', () => frame(DATA, 0, 0, 'a'), /without a stream/],
  [
    'a frame within a section',
    (id) => Buffer.concat([frame(HEADERS, 0, id, section([OK])), frame(PING, 0, 0, '12345678')]),
    /within a header section/,
  ],
  [
    'CONTINUATION without a section',
    (id) => frame(CONTINUATION, END_HEADERS, id, section([OK])),
    /without a header section/,
  ],
  [
    'endless CONTINUATION',
    (id) => Buffer.concat([frame(HEADERS, 0, id, ''), ...Array(20).fill(frame(CONTINUATION, 0, id, ''))]),
    /CONTINUATION/,
  ],
  ['a frame that is too long', (id) => frame(DATA, 0, id, 'a'.repeat(16_385)), /longer than allowed/],
  ['padding longer than its frame', (id) => frame(DATA, 8, id, '\x05a'), /padding/],
  ['WINDOW_UPDATE of 0', () => windowUpdate(0, 0), /increment of 0/],
  ['a window that is too large', () => windowUpdate(0, 2 ** 31 - 1), /window grew too large/],
  ['a setting that enables server push', () => setting(2, 1), /enabled server push/],
  ['a setting out of range', () => setting(4, 2 ** 31), /INITIAL_WINDOW_SIZE/],
  [
    'more content than the window',
    (id) => Buffer.concat([responseHead(id, [OK], false), ...Array(5).fill(frame(DATA, 0, id, 'a'.repeat(16_384)))]),
    /window of its stream/,
  ],
  [
    'PRIORITY_UPDATE',
    () => frame(PRIORITY_UPDATE, 0, 0, Buffer.concat([word(1), Buffer.from('u=1')])),
    /PRIORITY_UPDATE/,
  ],
  ['a flood of PING', () => Buffer.concat(Array(500).fill(frame(PING, 0, 0, '12345678'))), /too many PING/],
  ['a flood of SETTINGS', () => Buffer.concat(Array(500).fill(frame(SETTINGS, 0, 0))), /too many SETTINGS/],
  [
    'a flood of empty DATA',
    (id) => Buffer.concat([responseHead(id, [OK], false), ...Array(500).fill(frame(DATA, 0, id))]),
    /too many empty DATA/,
  ],
  [
    'GOAWAY with an error, then the end',
    () => frame(GOAWAY, 0, 0, Buffer.concat([word(99), word(11)])),
    /ended the connection with ENHANCE_YOUR_CALM/,
  ],
];

describe('a malformed response over HTTP/2', () => {
  const suite = suiteLifetime();
  const cases = new Map(REFUSED.map(([description, answer]) => [`/${description.replaceAll(' ', '-')}`, answer]));
  let backend: FrameBackend;
  let proxy: ProxyServer;

  before(async () => {
    backend = await startFrameBackend(suite, {
      onFrame(connection, { type, id }) {
        if (type !== HEADERS) return;
        const answer = cases.get(connection.sections.get(id)?.[0]?.[':path'] ?? '');
        if (answer === undefined) connection.send(responseHead(id, [OK]));
        else {
          const frames = answer(id);
          connection.send(frames);
          if (frames[3] === GOAWAY) connection.close();
        }
      },
    });
    proxy = await serveProxy(suite, [backend.backend]);
  });

  for (const [description, , reason] of REFUSED) {
    it(`is 502 with the reason in the log: ${description}`, async () => {
      proxy.failures.length = 0;
      const answer = await ask(proxy.port, `/${description.replaceAll(' ', '-')}`);
      assert.equal(answer.status, 502);
      assert.equal(proxy.failures.length, 1);
      assert.match(proxy.failures[0] ?? '', reason);
      assert.match(
        proxy.failures[0] ?? '',
        new RegExp(`^Cannot get a response from backend "h2c://127\\.0\\.0\\.1:${backend.port}": response: `),
      );
      assert.equal((await ask(proxy.port, '/good')).status, 200);
    });
  }

  it('ends its stream with RST_STREAM, and other requests on the connection go on', async (t) => {
    let slow = 0;
    const backend = await startFrameBackend(t, {
      onFrame(connection, { type, id }) {
        if (type !== HEADERS) return;
        if (connection.sections.get(id)?.[0]?.[':path'] === '/slow') slow = id;
        else connection.send(responseHead(id, [OK, ['X-Bad', '']]));
      },
    });
    const proxy = await serveProxy(t, [backend.backend]);
    const answer = ask(proxy.port, '/slow');
    await eventually('the slow request arrives', () => slow > 0);
    assert.equal((await ask(proxy.port, '/bad')).status, 502);
    backend.connections[0]?.send(responseHead(slow, [OK]));
    assert.equal((await answer).status, 200);
    assert.equal(backend.connections.length, 1);
    const resets = backend.connections[0]?.frames.filter(({ type }) => type === RST_STREAM) ?? [];
    assert.deepEqual(
      resets.map(({ id, payload }) => [id, payload.readUInt32BE()]),
      [[3, 1]],
    );
  });
});

describe('content of a response that has none, over HTTP/2', () => {
  for (const [description, status, method] of [
    ['HEAD', '200', 'HEAD'],
    ['204', '204', 'GET'],
    ['304', '304', 'GET'],
  ] as const) {
    it(`does not reach the client, and ends the stream: ${description}`, async (t) => {
      const backend = await startFrameBackend(t, {
        onFrame(connection, { type, id }) {
          if (type !== HEADERS) return;
          connection.send(responseHead(id, [[':status', status]], false), frame(DATA, END_STREAM, id, 'content'));
        },
      });
      const proxy = await serveProxy(t, [backend.backend]);
      for (let i = 0; i < 2; i += 1) {
        const answer = await ask(proxy.port, '/', { method });
        assert.deepEqual([answer.status, answer.body], [Number(status), '']);
      }
      assert.equal(backend.connections.length, 1);
    });
  }
});

describe('content that breaks off over HTTP/2', () => {
  const ends: readonly [string, (id: number) => readonly Buffer[] | null, RegExp][] = [
    ['RST_STREAM', (id) => [reset(id, 2)], /content: the backend reset the stream with INTERNAL_ERROR/],
    ['RST_STREAM without an error', (id) => [reset(id, 0)], /content: the backend reset the stream with NO_ERROR/],
    ['the end of the connection', () => null, /content: the connection closed within the content/],
    ['too little content', (id) => [frame(DATA, END_STREAM, id)], /content: the content is shorter/],
    ['too much content', (id) => [frame(DATA, END_STREAM, id, 'more than ten')], /content: the content is longer/],
    ['a malformed frame', () => [frame(PING, 0, 0, '1')], /content: a frame has a length/],
    ['malformed trailers', (id) => [responseHead(id, [['X', 'y']])], /content: a trailer field is malformed/],
  ];
  for (const [description, end, reason] of ends) {
    it(`never looks complete to the client: ${description}`, async (t) => {
      const backend = await startFrameBackend(t, {
        onFrame(connection, { type, id }) {
          if (type !== HEADERS) return;
          connection.send(responseHead(id, [OK, ['content-length', '10']], false), frame(DATA, 0, id, 'hello'));
        },
      });
      const proxy = await serveProxy(t, [backend.backend]);
      const client = await SocketClient.open(proxy.port);
      client.send(encode('/'));
      await client.until(/hello$/);
      const frames = end(1);
      if (frames === null) backend.connections[0]?.close();
      else backend.connections[0]?.send(...frames);
      await client.untilClosed();
      const { status, whole, body } = parseAnswer(client.received, 'GET');
      assert.deepEqual([status, whole, body], [200, false, 'hello']);
      assert.match(proxy.errors.join(), reason);
      await eventually('the backend is free', () => proxy.proxy.status()[0]?.active === 0);
    });
  }
});

describe('a backend that does not speak HTTP/2', () => {
  const cases: readonly [string, Buffer | string, RegExp][] = [
    ['HTTP/1.1', 'HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n', /connect: it does not speak HTTP\/2/],
    [
      'a frame before SETTINGS',
      frame(PING, 0, 0, '12345678'),
      /connect: it does not speak HTTP\/2: the first frame is not SETTINGS/,
    ],
    ['settings without room', setting(3, 0), /connect: it accepts no requests/],
  ];
  for (const [description, settings, reason] of cases) {
    it(`gets no request, and another backend gets it: ${description}`, async (t) => {
      const bad = await startFrameBackend(t, { settings: Buffer.from(settings as string, 'latin1') });
      const good = await startFrameBackend(t, { onFrame: answerOk });
      const proxy = await serveProxy(t, [bad.backend, good.backend]);
      assert.equal((await ask(proxy.port, '/', { method: 'POST', body: 'content' })).status, 200);
      assert.match(proxy.failures.join(), reason);
      assert.equal(bad.connections[0]?.sections.size, 0);
    });
  }

  it('costs the time to connect when it is silent', async (t) => {
    const silent = await startBackend(t, {});
    const proxy = await serveProxy(t, [{ ...silent.backend, protocol: 'http2' }], { connectTimeoutMs: 100 });
    assert.equal((await ask(proxy.port, '/')).status, 504);
    assert.match(proxy.failures.join(), /connect: the connection timed out/);
  });
});

function answerOk(connection: { send(...frames: Buffer[]): void }, { type, id, flags }: Frame): void {
  if ((type === HEADERS || type === DATA) && (flags & END_STREAM) !== 0) connection.send(responseHead(id, [OK]));
}
