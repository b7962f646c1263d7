import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { contentMemory } from '../../../src/http/buffering/content-memory.ts';
import type { HandlerResult } from '../../../src/http/handler.ts';
import type { Request } from '../../../src/http/message.ts';
import { Response } from '../../../src/http/response.ts';
import { callsOf } from '../../support/http2-calls.ts';
import {
  CONTINUATION,
  DATA,
  END_HEADERS,
  END_STREAM,
  FrameClient,
  fields,
  frame,
  framesOf,
  GOAWAY,
  HAS_PRIORITY,
  HEADERS,
  PADDED,
  PING,
  PRIORITY,
  priorityUpdate,
  request,
  reset,
  section,
  setting,
  settings,
  windowUpdate,
} from '../../support/http2-frames.ts';
import { eachTestLifetime } from '../../support/lifetime.ts';
import { createRandom, noise } from '../../support/random.ts';
import { serveHandler } from '../../support/serve-handler.ts';
import { eventually } from '../../support/wait.ts';

/** Mutants with a server, and mutants for the reader alone. The seeds are fixed, so a failure can be repeated. */
const CONVERSATIONS = Number(process.env.VIADUCT_TEST_MUTANTS ?? 400);
const READINGS = 10 * CONVERSATIONS;

const post = (id: number, more: readonly (readonly [string, string])[] = []): Buffer =>
  request(id, fields({ ':method': 'POST' }, more), END_HEADERS);
const padded = Buffer.concat([Buffer.from([3]), Buffer.from('abc'), Buffer.alloc(3)]);
const long = section(fields({}, [['a', 'b'.repeat(100)]]));
/** `GET http / a`, with a field that goes into the table, then by its index. */
const insert = Buffer.from([0x82, 0x86, 0x84, 0x41, 1, 0x61, 0x40, 1, 0x78, 1, 0x79]);
const indexed = Buffer.from([0x82, 0x86, 0x84, 0xbf, 0xbe]);

/** Conversations of a client that breaks no rule. */
const VALID: readonly (readonly Buffer[])[] = [
  [request(1), request(3, fields({ ':path': '/large' })), windowUpdate(0, 100_000), windowUpdate(3, 100_000)],
  [
    post(1, [['content-length', '6']]),
    frame(DATA, 0, 1, 'abc'),
    frame(DATA, END_STREAM, 1, 'def'),
    frame(PING, 0, 0, '12345678'),
  ],
  [
    post(1),
    frame(DATA, PADDED, 1, padded),
    frame(HEADERS, END_HEADERS | END_STREAM, 1, section([['x-sum', '1']])),
    request(3),
  ],
  [
    frame(HEADERS, END_STREAM, 1, long.subarray(0, 20)),
    frame(CONTINUATION, 0, 1, long.subarray(20, 50)),
    frame(CONTINUATION, END_HEADERS, 1, long.subarray(50)),
    request(3),
  ],
  [
    frame(HEADERS, 5, 1, insert),
    frame(HEADERS, 5, 3, indexed),
    frame(HEADERS, 5, 5, indexed),
    frame(HEADERS, 5, 7, insert),
  ],
  [
    settings([4, 10], [1, 0]),
    request(1, fields({ ':path': '/large' })),
    setting(4, 100_000),
    setting(1, 4096),
    request(3),
    reset(1),
  ],
  [
    priorityUpdate(5, 'u=1'),
    request(1),
    priorityUpdate(1, 'u=0, i'),
    request(5),
    frame(PRIORITY, 0, 7, '\0\0\0\0\x09'),
  ],
  [
    frame(
      HEADERS,
      END_HEADERS | HAS_PRIORITY | PADDED | END_STREAM,
      1,
      Buffer.concat([Buffer.from([1, 0, 0, 0, 0, 9]), section(fields()), Buffer.from([0])]),
    ),
    frame(GOAWAY, 0, 0, Buffer.alloc(8)),
  ],
  [
    post(1),
    post(3),
    frame(DATA, 0, 1, 'abc'),
    frame(DATA, 0, 3, 'abc'),
    reset(1),
    frame(DATA, END_STREAM, 3, 'def'),
    frame(0xfa, 1, 2, 'x'),
  ],
];

/** One of the conversations with some changes. */
function mutant(seed: number): Buffer {
  const random = createRandom(seed);
  const upTo = (end: number): number => Math.floor(random() * end);
  const frames: Buffer[] = [
    ...(VALID[upTo(VALID.length)] ?? []),
    ...(random() < 0.3 ? (VALID[upTo(VALID.length)] ?? []) : []),
  ].map((one): Buffer => Buffer.from(one));
  for (let changes = 1 + upTo(3); changes > 0; changes -= 1) {
    const at = upTo(frames.length);
    const one = frames[at] as Buffer;
    const position = random() < 0.6 ? upTo(9) : upTo(one.length);
    const kind = upTo(8);
    if (kind === 0) one[position] = upTo(256);
    else if (kind === 1) one[position] = (one[position] as number) ^ (1 << upTo(8));
    else if (kind === 2) frames.splice(at, 1);
    else if (kind === 3) frames.splice(upTo(frames.length), 0, one);
    else if (kind === 4) frames[at] = one.subarray(0, position);
    else if (kind === 5)
      frames[at] = Buffer.concat([one.subarray(0, position), noise(random, upTo(20)), one.subarray(position)]);
    else if (kind === 6) one[4] = upTo(256);
    else if (one.length >= 9) one.writeUInt32BE(upTo(8), 5);
    if (frames.length === 0) frames.push(noise(random, 30));
  }
  return Buffer.concat(frames);
}

function handle({ path, body }: Request): HandlerResult {
  if (path === '/large') return Response.fromHeaders(200, [], Buffer.alloc(200_000));
  if (body === null) return Response.text(200, 'fine\n');
  return new Promise((resolve) => {
    const end = (): void => resolve(Response.text(200, 'ended\n'));
    body.start({ write() {}, end, fail: end });
  });
}

describe('HTTP/2 with mutated conversations', () => {
  const eachTest = eachTestLifetime();

  it(`is read in the same way in any pieces: ${READINGS} mutants`, () => {
    for (let seed = 1; seed <= READINGS; seed += 1) {
      const random = createRandom(seed);
      const bytes = Buffer.concat([settings(), mutant(seed)]);
      const cuts = [...bytes.keys()].filter((at) => at > 0 && random() < 0.1);
      assert.deepEqual(callsOf(bytes, cuts, 1000, false), callsOf(bytes, [], 1000, false), `seed ${seed}`);
    }
  });

  it(`goes on or ends with GOAWAY, sends valid frames, and keeps nothing: ${CONVERSATIONS} mutants`, async () => {
    const held = contentMemory.held;
    const server = await serveHandler(eachTest, handle, { protocol: 'HTTP/2' });
    let ended = 0;
    for (let seed = 1; seed <= CONVERSATIONS; seed += 1) {
      const client = await FrameClient.open(server.port);
      const bytes = mutant(seed);
      const cut = Math.floor(createRandom(seed)() * bytes.length);
      client.send(bytes.subarray(0, cut));
      if (seed % 2 === 0) await new Promise(setImmediate);
      client.send(bytes.subarray(cut));
      client.socket.end();
      const code = await client.untilClosed();
      assert.ok(code >= -1 && code <= 0xb, `seed ${seed}: GOAWAY has the code ${code}`);
      if (code > 0) ended += 1;
      for (const one of client.frames) {
        assert.ok([0, 1, 3, 4, 6, 7, 8, 9].includes(one.type), `seed ${seed}: a frame of type ${one.type}`);
        assert.ok(one.payload.length <= 16_384, `seed ${seed}: a frame of ${one.payload.length} bytes`);
      }
      assert.deepEqual(server.errors, [], `seed ${seed}`);
    }
    assert.ok(ended > CONVERSATIONS / 10, `${ended} connections ended with an error`);
    await eventually('no connection is left', () => server.connections.size === 0);
    await eventually('every request is answered', () => server.answered.length === server.requests.length);
    assert.equal(contentMemory.held, held);
  });

  it('goes on when nothing is changed', async () => {
    const server = await serveHandler(eachTest, handle, { protocol: 'HTTP/2' });
    for (const [i, frames] of VALID.entries()) {
      const client = await FrameClient.open(server.port);
      client.send(...frames, frame(PING, 0, 0, 'lastping'));
      await client.until(
        'the answer to PING',
        ({ type, payload }) => type === PING && payload.equals(Buffer.from('lastping')),
      );
      assert.equal(client.goaway, -1, `conversation ${i}`);
      assert.equal(client.frames.filter(({ type }) => type === 3).length, 0, `conversation ${i}`);
      assert.equal(framesOf(Buffer.concat([...frames])).rest.length, 0);
      client.close();
    }
  });
});
