import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { Agent, request as httpRequest } from 'node:http';
import { type ClientHttp2Session, connect } from 'node:http2';
import type { Readable, Writable } from 'node:stream';
import { describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { Lifetime } from '../support/lifetime.ts';
import { makeProject } from '../support/project.ts';
import { createRandom } from '../support/random.ts';
import { startViaduct, type Viaduct } from '../support/viaduct.ts';
import { eventually, isRunning } from '../support/wait.ts';

/** Answers `/SEED/SIZE/BLOCK` with content that no other seed has, in blocks, and with the digest of the content that it received. */
const APP = `import hashlib, os

def content(seed, size):
    unit = hashlib.shake_128(seed.encode()).digest(65521)
    return (unit * (size // len(unit) + 1))[:size]

def application(environ, start_response):
    _, seed, size, block = environ["PATH_INFO"].split("/")
    size, block = int(size), int(block)
    received = hashlib.md5(environ["wsgi.input"].read()).hexdigest()
    data = content(seed, size)
    lengths = [("Content-Length", str(size))] if int(seed) % 2 else []
    start_response("200 OK", [("X-Seed", seed), ("X-Received", received), ("X-Worker", str(os.getpid())), *lengths])
    blocks = [data[start : start + block] for start in range(0, size, block)]
    return blocks if int(seed) % 3 == 0 else iter(blocks) if int(seed) % 3 == 1 else (one for one in blocks)
`;

const SIZES = [0, 1, 100, 4096, 10_000, 16_384, 16_385, 32_769, 100_000, 300_000, 1_500_000];
const BLOCKS = [50, 1000, 4096, 4097, 33_000, 70_000, 400_000, 2_000_000];
/** A response has no more blocks than this. */
const BLOCKS_MAX = 2000;
const CLIENTS = 8;
const REQUESTS = 40;
/** Of so many requests, one reader is slow, and one leaves. */
const SLOW_OF = 5;
const LEAVES_OF = 12;
const KILLS = 3;

interface Plan {
  readonly seed: number;
  readonly size: number;
  readonly path: string;
  readonly content: Buffer;
  readonly isSlow: boolean;
  readonly leaves: boolean;
}

interface Answer {
  readonly status: number;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly body: Readable;
}

function contentOf(seed: number, size: number): Buffer {
  const unit = createHash('shake128', { outputLength: 65_521 }).update(`${seed}`).digest();
  return Buffer.alloc(size, unit);
}

function plan(seed: number, random: () => number): Plan {
  const pick = (list: readonly number[]): number => list[Math.floor(random() * list.length)] as number;
  const size = pick(SIZES);
  const block = Math.max(pick(BLOCKS), Math.ceil(size / BLOCKS_MAX));
  const content = contentOf(-seed, pick(SIZES));
  const [isSlow, leaves] = [random() * SLOW_OF < 1, random() * LEAVES_OF < 1];
  return { seed, size, path: `/${seed}/${size}/${block}`, content, isSlow, leaves };
}

/** Reads and compares an answer. What has arrived of one that breaks off must be right, too. Returns its worker if it was complete. */
async function check({ seed, size, content, isSlow, leaves, path }: Plan, { status, fields, body }: Answer) {
  if (status === 502) {
    body.resume();
    return null;
  }
  assert.equal(status, 200, path);
  assert.equal(fields['x-seed'], `${seed}`, path);
  assert.equal(fields['x-received'], createHash('md5').update(content).digest('hex'), path);
  const expected = contentOf(seed, size);
  let at = 0;
  try {
    for await (const block of body as AsyncIterable<Buffer>) {
      assert.ok(block.equals(expected.subarray(at, at + block.length)), `${path} is wrong after ${at} bytes`);
      at += block.length;
      if (leaves && at > 0) break;
      if (isSlow) await delay(2);
    }
  } catch (error) {
    if (error instanceof assert.AssertionError) throw error;
    return null;
  }
  if (leaves) return null;
  assert.equal(at, size, path);
  return Number(fields['x-worker']);
}

describe('the content of many requests at the same time', () => {
  const start = (t: Lifetime): Promise<Viaduct> =>
    startViaduct(
      t,
      // biome-ignore format: one line
      ['serve', 'app:application', '--workers', '2', '--threads', '4', '--access-log', 'off', '--content-memory-bytes-max', '2MiB'],
      { cwd: makeProject(t, { 'app.py': APP }) },
    );

  for (const protocol of ['HTTP/1.1', 'HTTP/2'] as const) {
    it(`never gets into another request or response over ${protocol}, also when workers die`, async (t) => {
      const { port } = await start(t);
      const agent = new Agent({ keepAlive: true, maxSockets: CLIENTS });
      t.after(() => agent.destroy());
      let complete = 0;
      let worker = 0;
      const clients = Array.from({ length: CLIENTS }, async (_, client) => {
        const random = createRandom(client + 1);
        const session = protocol === 'HTTP/2' ? connect(`http://127.0.0.1:${port}`) : null;
        t.after(() => session?.destroy());
        for (let i = 0; i < REQUESTS; i += 1) {
          const one = plan(1 + client * REQUESTS + i, random);
          const answer = await (session === null ? ask(agent, port, one) : askStream(session, one));
          const by = answer === null ? null : await check(one, answer);
          if (by === null) continue;
          complete += 1;
          worker = by;
        }
      });
      const kills = (async () => {
        for (let i = 1; i <= KILLS; i += 1) {
          await eventually('some are complete', () => complete > i * 20);
          if (isRunning(worker)) process.kill(worker, 'SIGKILL');
        }
      })();
      await Promise.all([...clients, kills]);
      assert.ok(complete > (CLIENTS * REQUESTS) / 2, `${complete} were complete`);
    });
  }
});

/** Null if the connection ends before an answer. */
async function ask(agent: Agent, port: number, { path, content }: Plan): Promise<Answer | null> {
  const request = httpRequest({ agent, host: '127.0.0.1', port, path, method: 'POST' });
  return answerOf(request, content, ([message]) => ({
    status: message.statusCode,
    fields: message.headers,
    body: message,
  }));
}

async function askStream(session: ClientHttp2Session, { path, content }: Plan): Promise<Answer | null> {
  const stream = session.request({ ':method': 'POST', ':path': path });
  return answerOf(stream, content, ([fields]) => ({ status: fields[':status'], fields, body: stream }));
}

async function answerOf(
  request: Writable,
  content: Buffer,
  // biome-ignore lint/suspicious/noExplicitAny: what the events of Node have
  read: (event: any[]) => Answer,
): Promise<Answer | null> {
  request.on('error', () => {});
  request.end(content);
  return once(request, 'response').then(read, () => null);
}
