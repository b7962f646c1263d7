import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { startBackend } from '../support/backend.ts';
import { ask } from '../support/http-client.ts';
import { CONTINUATION, fields, frame, HEADERS, request, SETTINGS, setting } from '../support/http2-frames.ts';
import { type Lifetime, nestedLifetime } from '../support/lifetime.ts';
import { makeProject } from '../support/project.ts';
import { ROOT, startViaduct, type Viaduct } from '../support/viaduct.ts';
import { PATIENCE_MS } from '../support/wait.ts';

const MIB = 1024 * 1024;
/** The setting under test. */
const CONTENT_MEMORY = 32 * MIB;
/** More than the kernel holds for a client that reads nothing. */
const RESPONSE_BYTES = 6 * MIB;
const READERS = 200;
/** A response that a worker sends whole, and that fits into one block from a backend. */
const SMALL_BYTES = 30_000;
/** Two connections of HTTP/2 with this many streams each. */
const STREAMS = 100;
/** Or many connections, each of which costs this much at most. */
const CONNECTIONS = 300;
const PER_CROWDED_CONNECTION = 512 * 1024;
const HEADS = 3000;

const PAGE = readFileSync(join(ROOT, 'docs/limits.md'), 'utf8');
/** What a connection costs in addition, as docs/limits.md says. */
const PER_CONNECTION = figure(/^\| each connection of HTTP\/1\.1 .*: (\d+) KiB \|$/m) * 1024;
const PER_HTTP2_CONNECTION = figure(/^\| each connection of HTTP\/2 .*: (\d+) MiB \|$/m) * MIB;
const PER_HEAD = figure(/^\| each connection with an unfinished request head .*: (\d+) KiB \|$/m) * 1024;
/** Memory that is not collected yet, fragments, and what the process keeps. Without a limit the tests take from 200 to 1200 MiB. */
const SPARE = 128 * MIB;

const APP = `import hashlib, random

WHOLE = random.Random(1).randbytes(${RESPONSE_BYTES})

def application(environ, start_response):
    path = environ['PATH_INFO']
    if path == '/upload':
        digest = hashlib.file_digest(environ['wsgi.input'], 'md5').hexdigest() if environ.get('CONTENT_LENGTH') else ''
        start_response('200 OK', [])
        return [digest.encode()]
    start_response('200 OK', [('Content-Type', 'text/plain')])
    if path == '/free':
        return [b'free']
    if path == '/small':
        return [WHOLE[:${SMALL_BYTES}]]
    return [WHOLE] if path == '/whole' else (WHOLE[:65536] for _ in range(len(WHOLE) // 65536))
`;

const TYPESCRIPT = `const WHOLE = 65536;

export function application(environ, startResponse) {
  startResponse('200 OK', [['Content-Type', 'text/plain']]);
  if (environ['PATH_INFO'] === '/small') return [Buffer.alloc(${SMALL_BYTES}, "x")];
  return (function* () { for (let sent = 0; sent < ${RESPONSE_BYTES}; sent += WHOLE) yield Buffer.alloc(WHOLE, "x"); })();
}
`;

function figure(pattern: RegExp): number {
  const number = Number(pattern.exec(PAGE)?.[1]);
  assert.ok(number > 0, `docs/limits.md has a line for ${pattern}`);
  return number;
}

async function serve(t: Lifetime): Promise<Viaduct> {
  const backend = await startBackend(t, (head) => {
    const length = head.includes('/small') ? SMALL_BYTES : RESPONSE_BYTES;
    return Buffer.concat([Buffer.from(`HTTP/1.1 200 OK\r\nContent-Length: ${length}\r\n\r\n`), Buffer.alloc(length)]);
  });
  const project = makeProject(t, { 'app.py': APP, 'node.mjs': TYPESCRIPT });
  writeFileSync(join(project, 'large.bin'), Buffer.alloc(RESPONSE_BYTES));
  writeFileSync(join(project, 'small.bin'), Buffer.alloc(SMALL_BYTES));
  writeFileSync(
    join(project, 'viaduct.toml'),
    `target = "app:application"
content_memory_bytes_max = ${CONTENT_MEMORY}
body_memory_bytes_max = "1MiB"
workers = 2
threads = 2
access_log = "off"
compression = true

[apps.node]
target = "./node.mjs"

[[route]]
mount = "/node"
app = "node"

[[route]]
path = "/static/*"
static = "."

[[route]]
path = "/buffered/*"
proxy = "${backend.url}"
proxy_options = { buffer_request = true, buffer_response = true, buffer_memory_bytes_max = "16MiB" }

[[route]]
path = "/proxy/*"
proxy = "${backend.url}"
`,
  );
  return startViaduct(t, ['serve'], { cwd: project });
}

/** The most memory that the server process has used so far, without its Python processes. */
function peakOf({ pid }: Viaduct): number {
  return memoryOf(pid, 'VmHWM');
}

function memoryOf(pid: number, name: string): number {
  const [, kilobytes] =
    new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'latin1')) ?? [];
  return Number(kilobytes) * 1024;
}

async function open(t: Lifetime, port: number, octets: string | Buffer): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1' });
  t.after(() => {
    socket.destroy();
  });
  socket.on('error', () => {});
  socket.pause();
  await once(socket, 'connect');
  socket.write(typeof octets === 'string' ? Buffer.from(octets, 'latin1') : octets);
  return socket;
}

/** Resolves when the memory of the server has not grown for half a second. */
async function untilSteady(viaduct: Viaduct): Promise<void> {
  const end = performance.now() + 2 * PATIENCE_MS;
  for (let steady = 0, last = 0; steady < 25 && performance.now() < end; ) {
    await delay(20);
    const now = peakOf(viaduct);
    steady = now === last ? steady + 1 : 0;
    last = now;
  }
}

/** Asks as a client that has no other requests: the queue gives each client its turn. */
async function askFree({ port }: Viaduct): Promise<string> {
  return (await ask(port, '/free', {}, '127.0.0.2')).body;
}

describe('the memory for content', {
  concurrency: 1,
  skip: process.platform !== 'linux' && 'there is no /proc',
}, () => {
  for (const [what, path] of [
    ['whole responses of workers', '/whole'],
    ['streamed responses of workers', '/stream'],
    ['buffered responses of backends', '/buffered/x'],
    ['responses of backends', '/proxy/x'],
    ['static files', '/static/large.bin'],
    ['streamed responses of TypeScript', '/node/stream'],
    ['compressed responses', '/stream?gzip'],
    ['responses compressed with brotli', '/stream?br'],
  ] as const) {
    it(`holds ${what} that ${READERS} clients do not read, and other clients get answers`, async (t) => {
      // The clients leave before the server stops, because it would wait for them.
      const own = nestedLifetime(t);
      const viaduct = await serve(own);
      assert.equal(await askFree(viaduct), 'free');
      const before = peakOf(viaduct);
      const [, coding = 'identity'] = path.split('?');
      for (let i = 0; i < READERS; i += 1) {
        await open(
          own,
          viaduct.port,
          `GET ${path} HTTP/1.1\r\nHost: a\r\nAccept-Encoding: ${coding}\r\n\r\n`.repeat(3),
        );
      }
      assert.equal(await askFree(viaduct), 'free');
      await untilSteady(viaduct);
      const used = peakOf(viaduct) - before;
      t.diagnostic(`${what}: ${Math.round(used / MIB)} MiB`);
      assert.ok(used < CONTENT_MEMORY + READERS * PER_CONNECTION + SPARE, `${Math.round(used / MIB)} MiB`);
    });

    it(`holds ${what} on ${2 * STREAMS} streams of HTTP/2 that two clients do not read`, async (t) => {
      // The clients leave before the server stops, because it would wait for them.
      const own = nestedLifetime(t);
      const viaduct = await serve(own);
      assert.equal(await askFree(viaduct), 'free');
      const before = peakOf(viaduct);
      const [, coding = 'identity'] = path.split('?');
      const list = fields({ ':path': path }, [['accept-encoding', coding]]);
      const octets = [Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), frame(SETTINGS, 0, 0), setting(4, 0)];
      for (let i = 0; i < STREAMS; i += 1) octets.push(request(2 * i + 1, list));
      await open(own, viaduct.port, Buffer.concat(octets));
      await open(own, viaduct.port, Buffer.concat(octets));
      assert.equal(await askFree(viaduct), 'free');
      await untilSteady(viaduct);
      const used = peakOf(viaduct) - before;
      t.diagnostic(`${what} over HTTP/2: ${Math.round(used / MIB)} MiB`);
      assert.ok(used < CONTENT_MEMORY + 2 * PER_HTTP2_CONNECTION + SPARE, `${Math.round(used / MIB)} MiB`);
    });
  }

  for (const [what, path] of [
    ['small responses of workers', '/small'],
    ['small responses of backends', '/proxy/small'],
    ['small responses of TypeScript', '/node/small'],
    ['small static files', '/static/small.bin'],
    ['the first blocks of long responses', '/stream'],
    ['the first blocks of long files', '/static/large.bin'],
  ] as const) {
    it(`holds ${what} on ${CONNECTIONS} connections of HTTP/2 whose clients take one byte`, async (t) => {
      // The clients leave before the server stops, because it would wait for them.
      const own = nestedLifetime(t);
      const viaduct = await serve(own);
      assert.equal(await askFree(viaduct), 'free');
      const before = peakOf(viaduct);
      const list = fields({ ':path': path });
      const octets = [Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), frame(SETTINGS, 0, 0), setting(4, 1)];
      for (let i = 0; i < STREAMS; i += 1) octets.push(request(2 * i + 1, list));
      for (let i = 0; i < CONNECTIONS; i += 1) await open(own, viaduct.port, Buffer.concat(octets));
      await untilSteady(viaduct);
      assert.equal(await askFree(viaduct), 'free');
      const used = peakOf(viaduct) - before;
      t.diagnostic(`${what}: ${Math.round(used / MIB)} MiB`);
      assert.ok(used < CONTENT_MEMORY + CONNECTIONS * PER_CROWDED_CONNECTION + SPARE, `${Math.round(used / MIB)} MiB`);
    });
  }

  for (const [version, octets] of [
    [
      'HTTP/1.1',
      Buffer.from(`GET /${'a'.repeat(8000)} HTTP/1.1\r\nHost: a\r\n${`A: ${'a'.repeat(996)}\r\n`.repeat(32)}`),
    ],
    [
      'HTTP/2',
      Buffer.concat([
        Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
        frame(SETTINGS, 0, 0),
        ...Array.from({ length: 4 }, (_, i) =>
          frame(i === 0 ? HEADERS : CONTINUATION, 0, 1, Buffer.alloc(16_384, 0x82)),
        ),
      ]),
    ],
  ] as const) {
    it(`holds unfinished request heads of ${HEADS} connections of ${version}`, async (t) => {
      const own = nestedLifetime(t);
      const viaduct = await serve(own);
      assert.equal(await askFree(viaduct), 'free');
      const before = peakOf(viaduct);
      for (let i = 0; i < HEADS; i += 1) {
        const socket = await open(own, viaduct.port, octets.subarray(0, octets.length / 2));
        socket.write(octets.subarray(octets.length / 2));
      }
      await untilSteady(viaduct);
      const used = peakOf(viaduct) - before;
      t.diagnostic(`heads of ${version}: ${Math.round(used / MIB)} MiB`);
      assert.ok(used < HEADS * PER_HEAD + SPARE, `${Math.round(used / MIB)} MiB`);
    });
  }

  for (const [where, path] of [
    ['workers', '/upload'],
    ['backends', '/buffered/upload'],
  ] as const) {
    it(`holds unfinished uploads for ${where}`, async (t) => {
      // The clients leave before the server stops, because it would wait for them.
      const own = nestedLifetime(t);
      const viaduct = await serve(own);
      assert.equal(await askFree(viaduct), 'free');
      const before = peakOf(viaduct);
      const head = `POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n`;
      for (let i = 0; i < READERS; i += 1) await open(own, viaduct.port, head + 'x'.repeat(999_999));
      assert.equal(await askFree(viaduct), 'free');
      await untilSteady(viaduct);
      const used = peakOf(viaduct) - before;
      t.diagnostic(`uploads for ${where}: ${Math.round(used / MIB)} MiB`);
      assert.ok(used < CONTENT_MEMORY + READERS * PER_CONNECTION + SPARE, `${Math.round(used / MIB)} MiB`);
    });
  }
});
