import assert from 'node:assert/strict';
import { openSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { connect as connectTls } from 'node:tls';
import type { BodySink, BodySource, Request, ResponseBody } from '../../src/http/message.ts';
import { Response } from '../../src/http/response.ts';
import { Authority, hostWith, NO_OPENSSL, type Pair } from '../support/certificates.ts';
import { encodeRequest, readRecords, variablesOf } from '../support/cgi-frames.ts';
import {
  DATA,
  END_HEADERS,
  END_STREAM,
  FrameClient,
  fields,
  frame,
  RST_STREAM,
  request,
  SETTINGS,
  section,
  setting,
  windowUpdate,
} from '../support/http2-frames.ts';
import { type ServeOptions, serveHandler } from '../support/serve-handler.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { createSignal, eventually, PATIENCE_MS, within } from '../support/wait.ts';

const BLOCK = Buffer.alloc(1000, 'x');
const INITIAL_WINDOW_SIZE = 4;

/** Responses that break off, and the Content-Length that each declares. Files are in the directory of the test. */
const BROKEN: readonly [string, (directory: string) => ResponseBody, number][] = [
  ['fails together with its first block', () => source((sink) => sink.write(BLOCK), fail), -1],
  ['fails after its first block', () => source((sink) => sink.write(BLOCK), later(fail)), -1],
  ['fails after a long block', () => source((sink) => sink.write(Buffer.alloc(3_000_000)), later(fail)), -1],
  ['of known length fails', () => source((sink) => sink.write(BLOCK), later(fail)), 5000],
  [
    'is shorter than its length',
    () =>
      source(
        (sink) => sink.write(BLOCK),
        (sink) => sink.end(),
      ),
    5000,
  ],
  [
    'ends later and is shorter than its length',
    () =>
      source(
        (sink) => sink.write(BLOCK),
        later((sink) => sink.end()),
      ),
    5000,
  ],
  ['in memory is shorter than its length', () => BLOCK, 5000],
  ['in memory is long and shorter than its length', () => Buffer.alloc(1_000_000), 5_000_000],
  ['in a file is shorter than its length', (directory) => shrunk(directory, 1000, 1000), 5000],
  ['in a file is shorter than the file was', (directory) => shrunk(directory, 1000, 5000), -1],
];

function certificate(directory: string): Pair {
  return new Authority(directory).issue('a', 'ec', ['a.example']);
}

/** A file of `bytes` that had `length` when the response was made. */
function shrunk(directory: string, bytes: number, length: number): ResponseBody {
  const path = join(directory, 'file');
  writeFileSync(path, Buffer.alloc(bytes));
  return { fd: openSync(path, 'r'), start: 0, end: length, release() {} };
}

type Step = (sink: BodySink) => void;

function source(...steps: readonly Step[]): BodySource {
  return {
    start(sink) {
      for (const step of steps) step(sink);
    },
    pause() {},
    resume() {},
    cancel() {},
  };
}

function fail(sink: BodySink): void {
  sink.fail(new Error('broken on purpose'));
}

function later(step: Step): Step {
  return (sink) => void setTimeout(() => step(sink), 50);
}

/** How a response ended for its client: `text` is what came, `whole` whether the client can think that this is all. */
interface Ending {
  readonly bytes: number;
  readonly whole: boolean;
}

/**
 * Sends `octets` and reads to the end of the connection. When a reset arrives together with bytes, Node reports a normal end: a write then
 * shows the difference.
 */
async function exchange(port: number, octets: string, isTls = false): Promise<{ text: string; reset: boolean }> {
  const raw = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  const socket = isTls ? connectTls({ socket: raw, rejectUnauthorized: false }) : raw;
  const blocks: Buffer[] = [];
  let reset = false;
  socket.on('data', (block: Buffer) => blocks.push(block));
  socket.on('error', () => {
    reset = true;
  });
  socket.on('end', () => {
    raw.write(Buffer.alloc(0), (error) => {
      reset ||= error !== null && error !== undefined;
      socket.destroy();
    });
  });
  socket.write(octets, 'latin1');
  await within(PATIENCE_MS, 'the end of the connection', () => new Promise((resolve) => socket.once('close', resolve)));
  return { text: Buffer.concat(blocks).toString('latin1'), reset };
}

/** Whether a message of HTTP or CGI is complete for its reader, when the connection ended in this way. */
function isWhole(text: string, reset: boolean): Ending {
  const end = text.indexOf('\r\n\r\n') + 4;
  const [head, content] = [text.slice(0, end), text.slice(end)];
  const length = /^content-length: (\d+)/im.exec(head)?.[1];
  if (/^transfer-encoding: chunked/im.test(head))
    return { bytes: content.length, whole: content.endsWith('\r\n0\r\n\r\n') };
  if (length !== undefined) return { bytes: content.length, whole: content.length >= Number(length) };
  return { bytes: content.length, whole: !reset };
}

const READERS: readonly (readonly [
  string,
  (ServeOptions['protocol'] & string) | 'TLS',
  (port: number) => Promise<Ending>,
])[] = [
  ...(['HTTP/1.1', 'HTTP/1.0'] as const).flatMap((version) =>
    (['HTTP/1.1', 'TLS'] as const).map((protocol) => {
      const isTls = protocol === 'TLS';
      const read = async (port: number): Promise<Ending> => {
        const octets = `GET / ${version}\r\nHost: a\r\nConnection: close\r\n\r\n`;
        const { text, reset } = await exchange(port, octets, isTls);
        return isWhole(text, reset);
      };
      return [isTls ? `${version} with TLS` : version, protocol, read] as const;
    }),
  ),
  ...(['uwsgi', 'scgi'] as const).map((protocol) => {
    const read = async (port: number): Promise<Ending> => {
      const { text, reset } = await exchange(port, encodeRequest(protocol, variablesOf()));
      return isWhole(text, reset);
    };
    return [protocol, protocol, read] as const;
  }),
  [
    'fastcgi',
    'fastcgi',
    async (port) => {
      const { text } = await exchange(port, encodeRequest('fastcgi', variablesOf()));
      const { stdout, ended, status } = readRecords(text);
      return { bytes: isWhole(stdout, false).bytes, whole: ended && status === 0 };
    },
  ],
  ['HTTP/2', 'HTTP/2', (port) => readFrames(port)],
  ['HTTP/2 with a small window', 'HTTP/2', (port) => readFrames(port, 500)],
];

async function readFrames(port: number, window = 65_535): Promise<Ending> {
  const client = await FrameClient.open(port, setting(INITIAL_WINDOW_SIZE, window));
  client.send(request(1), windowUpdate(0, 10_000_000));
  let seen = 0;
  const isOver = ({ id, type, flags }: { id: number; type: number; flags: number }) =>
    id === 1 && (type === RST_STREAM || (flags & END_STREAM) !== 0);
  client.socket.on('data', () => {
    const received = client.received(1);
    if (received > seen && !client.frames.some(isOver)) client.send(windowUpdate(1, received - seen));
    seen = received;
  });
  await client.until('the end of the stream', isOver);
  client.close();
  const ended = client.frames.some(({ id, type, flags }) => id === 1 && type <= 1 && (flags & END_STREAM) !== 0);
  return { bytes: client.received(1), whole: ended || client.resetCode(1) === 0 };
}

describe('a response that breaks off', { concurrency: 4 }, () => {
  for (const [name, protocol, read] of READERS) {
    for (const [description, body, length] of BROKEN) {
      it(`over ${name} does not look whole when it ${description}`, {
        skip: protocol === 'TLS' && NO_OPENSSL,
      }, async (t) => {
        const directory = temporaryDirectory(t);
        const headers = length < 0 ? [] : ['Content-Length', `${length}`];
        const answer = (): Response => Response.fromHeaders(200, headers, body(directory));
        const { port, connections, errors } = await serveHandler(
          t,
          answer,
          protocol === 'TLS' ? { tls: { hosts: [hostWith(certificate(directory))] } } : { protocol },
        );
        const { bytes, whole } = await read(port);
        assert.equal(whole, false, `${bytes} bytes look like the whole response`);
        assert.notEqual(errors.length, 0);
        await eventually('the server has forgotten the connection', () => connections.size === 0);
      });
    }
  }
});

/** The requests that a server received: whether each content was complete. */
interface Upload {
  readonly bytes: number;
  readonly outcome: 'complete' | 'broken';
}

/** Ways in which an upload ends too early, after these octets. `leave` is how its client leaves. */
const LEAVING: readonly [string, (socket: Socket) => void][] = [
  ['ends', (socket) => void socket.end()],
  ['is reset', (socket) => void socket.resetAndDestroy()],
  ['closes', (socket) => void socket.destroy()],
];

const CONTENT = 'x'.repeat(5000);
const POST = { REQUEST_METHOD: 'POST', CONTENT_LENGTH: '5000' };
const HEAD1 = 'POST / HTTP/1.1\r\nHost: a\r\n';
const preface = (...frames: Buffer[]): string =>
  Buffer.concat([Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), frame(SETTINGS, 0, 0), ...frames]).toString('latin1');
const opened = (more: readonly (readonly [string, string])[] = []): Buffer =>
  request(1, fields({ ':method': 'POST' }, more), END_HEADERS);
const last = frame(DATA, END_STREAM, 1, CONTENT);
const TRAILERS = frame(1, END_STREAM | END_HEADERS, 1, section([['x-trailer', 'a']]));

/** The octets of whole uploads. A prefix of each is an upload that breaks off. `from` is where the content starts. */
const UPLOADS: readonly [string, ServeOptions['protocol'] & string, string][] = [
  ['HTTP/1.1 with a length', 'HTTP/1.1', `${HEAD1}Content-Length: 5000\r\n\r\n${CONTENT}`],
  ['HTTP/1.1 in chunks', 'HTTP/1.1', `${HEAD1}Transfer-Encoding: chunked\r\n\r\n1388\r\n${CONTENT}\r\n0\r\n\r\n`],
  ['uwsgi', 'uwsgi', encodeRequest('uwsgi', variablesOf(POST), CONTENT)],
  ['scgi', 'scgi', encodeRequest('scgi', variablesOf(POST), CONTENT)],
  ['fastcgi', 'fastcgi', encodeRequest('fastcgi', variablesOf(POST), CONTENT)],
  ['HTTP/2', 'HTTP/2', preface(opened(), frame(DATA, 0, 1, CONTENT), last)],
  ['HTTP/2 with a length', 'HTTP/2', preface(opened([['content-length', '5000']]), last)],
  ['HTTP/2 with trailers', 'HTTP/2', preface(opened(), frame(DATA, 0, 1, CONTENT), TRAILERS)],
];

describe('an upload', { concurrency: 4 }, () => {
  for (const [name, protocol, octets] of UPLOADS) {
    const start = octets.indexOf('xxx');
    /** FastCGI marks the end of content that is already complete by its length. */
    const end = protocol === 'fastcgi' ? octets.lastIndexOf('xxx') + 3 : octets.length;
    const cuts = [
      start,
      start + 1,
      start + 2500,
      end - 1,
      ...(protocol === 'HTTP/2' ? [end - last.length, end - TRAILERS.length, end - 5] : []),
    ];

    it(`over ${name} is complete when all of it came`, async (t) => {
      const { port, uploads } = await receive(t, protocol);
      const socket = connect({ port, host: '127.0.0.1' });
      t.after(() => socket.destroy());
      socket.write(octets, 'latin1');
      await eventually('the upload is over', () => uploads.length === 1);
      assert.equal(uploads[0]?.outcome, 'complete');
    });

    for (const [how, leave] of LEAVING) {
      it(`over ${name} is not complete when its connection ${how}`, async (t) => {
        const { port, uploads, started, connections } = await receive(t, protocol);
        for (const cut of new Set(cuts)) {
          const before = uploads.length;
          const socket = connect({ port, host: '127.0.0.1' });
          socket.on('error', () => {});
          socket.resume();
          const begun = started();
          socket.write(octets.slice(0, cut), 'latin1');
          await within(PATIENCE_MS, 'the start of the request', () => begun);
          leave(socket);
          await eventually(`the upload is over after ${cut} octets`, () => uploads.length > before);
          assert.equal(uploads.at(-1)?.outcome, 'broken', `after ${cut} of ${octets.length} octets`);
          socket.destroy();
        }
        await eventually('the server has forgotten its connections', () => connections.size === 0);
      });
    }
  }
});

describe('an upload over HTTP/2', () => {
  for (const code of [0, 8, 2]) {
    it(`is not complete when its client gives it up with error code ${code} in the same packet`, async (t) => {
      const { port, uploads } = await receive(t, 'HTTP/2');
      const client = await FrameClient.open(port);
      const payload = Buffer.from([0, 0, 0, code]);
      client.send(opened(), frame(DATA, 0, 1, CONTENT), frame(RST_STREAM, 0, 1, payload), request(3));
      client.send(request(5, fields({ ':method': 'POST' }), END_HEADERS), frame(DATA, END_STREAM, 5, CONTENT));
      await eventually('the second upload is over', () => uploads.some(({ outcome }) => outcome === 'complete'));
      assert.equal(uploads.filter(({ outcome }) => outcome === 'complete').length, 1);
      client.close();
    });
  }
});

async function receive(t: Parameters<typeof serveHandler>[0], protocol: ServeOptions['protocol'] & string) {
  const uploads: Upload[] = [];
  let signal = createSignal();
  const server = await serveHandler(
    t,
    (request: Request) => {
      signal.happen();
      return new Promise<Response>((resolve, reject) => {
        let bytes = 0;
        const finish = (outcome: Upload['outcome']): void => {
          uploads.push({ bytes, outcome });
          if (outcome === 'complete') resolve(Response.text(200, 'taken'));
          else reject(new Error('broken'));
        };
        request.body?.start({
          write: (block) => {
            bytes += block.length;
          },
          end: () => finish('complete'),
          fail: () => finish('broken'),
        });
      });
    },
    { protocol },
  );
  const started = (): Promise<void> => {
    signal = createSignal();
    return signal.happened;
  };
  return { ...server, uploads, started };
}
