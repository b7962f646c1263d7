import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { packedPayload, packedTarget, packTrace, unpackTrace } from '../../src/trace/packed-trace.ts';
import { Trace, USUAL_DETAILS } from '../../src/trace/trace.ts';
import { type StoredBytes, TraceMemory } from '../../src/trace/trace-memory.ts';
import type { TraceRecord } from '../../src/trace/trace-record.ts';
import { chooseSeed, createRandom } from '../support/random.ts';

/** A trace with a value in each part, and texts that Latin-1 and UTF-8 write in several ways. */
function fullTrace(): Trace {
  const headers = ['Host', 'a.example', 'X-Name', 'caf\xe9'];
  const head = { method: 'POST', path: '/caf\xe9', query: 'q=\u20ac', host: 'a.example' };
  const traced = {
    ...head,
    protocol: 'HTTP/1.1',
    secure: true,
    client: '[::1]:4',
    listener: 'https://[::1]:1',
    headers,
  };
  const parent = ['1'.repeat(32), '2'.repeat(16)] as const;
  const trace = new Trace(
    'id-\ud83d\ude00',
    'failed',
    'full',
    USUAL_DETAILS,
    { ...traced, bodyBytes: 7 },
    1.25,
    parent,
  );
  trace.passedRequest(trace.add('head', 'head', 1.25, 2), 'the client', headers);
  const client = { address: '::1', port: 4, listener: 2, secure: true, serverPort: '443' };
  trace.recorded = { ...head, headers, client, body: Buffer.from('caf\xe9\0', 'latin1') };
  trace.chose('shop \0', 'the path matches', [['other', 'the host does not match']]);
  const span = trace.begin('handler', 'python');
  trace.set(span, 'error', 'a \ud800 b');
  trace.set(span, 'count', -0.5);
  trace.set(span, 'yes', true);
  trace.set(span, 'no', false);
  trace.parentHop = trace.hops.length;
  trace.passedRequest(span, 'handler python', [...headers, 'X-A', '']);
  trace.passedResponse(span, 'handler python', 200, 'A: b\r\n');
  trace.awaitPython(42);
  trace.noteReturn(5_000_000, 9);
  trace.receivePython(Uint8Array.of(1, 2, 255));
  trace.respond(200, 'A: b\r\n');
  Object.assign(trace, {
    routeName: 'shop',
    application: 'shop.wsgi',
    reason: 'r',
    lines: 'A: b\r\n',
    pythonMissing: 'm',
  });
  const raise = { type: 'E', message: 'm', frames: [], members: 0 };
  trace.thrown = { ...raise, traceback: 't', chain: [{ ...raise, relation: 'cause', of: -1 }] };
  Object.assign(trace, { queueUs: 3, pythonUs: 4, dropped: 2 });
  trace.answered(200, 10);
  return trace;
}

/** What `TraceRecord` has of it. */
function contentOf(record: TraceRecord): Record<string, unknown> {
  const { id, traceId, spanId, parentSpanId, kept, detail, request, startedAt, startMs, endMs, spans, hops } = record;
  const {
    parentHop,
    dropped,
    route,
    routeName,
    application,
    worker,
    queueUs,
    pythonUs,
    status,
    bodyBytes,
    reason,
    lines,
  } = record;
  const { python, pythonMissing, returnedMs, returnedAfterMs, recorded, thrown } = record;
  const payload = record.payload === null ? null : [...record.payload];
  const ids = { id, traceId, spanId, parentSpanId, kept, detail, request, startedAt, startMs, endMs, spans, hops };
  const parts = {
    parentHop,
    dropped,
    route,
    routeName,
    application,
    worker,
    queueUs,
    pythonUs,
    status,
    bodyBytes,
    reason,
    lines,
  };
  return { ...ids, ...parts, python, pythonMissing, returnedMs, returnedAfterMs, recorded, thrown, payload };
}

/** Texts that UTF-8 writes in one to four bytes, and such as could be taken for others. */
const PIECES = ['a', '\0', '\xff', '\u20ac', '\ud83d\ude00', '\ufeff', '\r\n', '<b>', '\u2028', '__proto__', '-1'];

class Dice {
  readonly #next: () => number;

  constructor(next: () => number) {
    this.#next = next;
  }

  below(limit: number): number {
    return Math.floor(this.#next() * limit);
  }

  pick<T>(values: readonly T[]): T {
    return values[this.below(values.length)] as T;
  }
}

function randomText(random: Dice): string {
  const length = random.below(20) === 0 ? random.below(4000) : random.below(8);
  return Array.from({ length }, () => random.pick(PIECES)).join('');
}

function randomTrace(random: Dice): Trace {
  const text = (): string => randomText(random);
  const texts = (): string[] => Array.from({ length: 2 * random.below(5) }, text);
  const request = {
    ...fullTrace().request,
    method: text(),
    path: text(),
    query: text(),
    host: text(),
    headers: texts(),
  };
  const trace = new Trace(text(), 'sampled', 'full', USUAL_DETAILS, request, random.below(1000) / 7, null);
  for (let spans = random.below(6); spans > 0; spans -= 1) {
    const span = trace.begin('handler', text());
    trace.set(span, `key ${text()}`, random.pick([text(), random.below(1e6) / 3, true, false]));
    trace.passedRequest(span, text(), random.pick([request.headers, texts()]));
    trace.passedResponse(span, text(), 200, text());
  }
  if (random.below(2) === 0) trace.chose(text(), text(), [[text(), text()]]);
  trace.payload = random.below(2) === 0 ? null : Buffer.from(text().repeat(random.below(9)));
  Object.assign(trace, { routeName: text(), application: text(), reason: text(), lines: text() });
  trace.answered(200, random.below(1000));
  return trace;
}

describe('packTrace', () => {
  it('keeps everything of a trace; only half of a surrogate pair becomes a replacement character', () => {
    const trace = fullTrace();
    const stored = packTrace(trace, new TraceMemory());
    const expected = contentOf(trace);
    const spans = trace.spans.map(({ attributes, ...span }) => ({
      ...span,
      attributes: attributes?.error === undefined ? attributes : { ...attributes, error: 'a \ufffd b' },
    }));
    assert.deepEqual(contentOf(unpackTrace(stored)), { ...expected, spans });
    assert.deepEqual(packedTarget(stored), ['/caf\xe9', 'q=\u20ac']);
    assert.deepEqual([...(packedPayload(stored) ?? [])], [1, 2, 255]);
  });

  it('gives each trace back as it was while others come and go in the same memory', (context) => {
    const seed = chooseSeed();
    context.diagnostic(`VIADUCT_TEST_SEED=${seed}`);
    const random = new Dice(createRandom(seed));
    const memory = new TraceMemory();
    const kept: { readonly trace: Trace; readonly stored: StoredBytes }[] = [];
    for (let i = 0; i < 2000; i += 1) {
      const trace = randomTrace(random);
      kept.push({ trace, stored: packTrace(trace, memory) });
      while (kept.length > 40) {
        const [oldest] = kept.splice(random.below(4), 1) as [(typeof kept)[number]];
        assert.deepEqual(contentOf(unpackTrace(oldest.stored)), contentOf(oldest.trace));
        memory.free(oldest.stored);
      }
    }
  });

  it('takes hardly more memory for a long record than it has bytes', () => {
    const trace = fullTrace();
    Object.assign(trace, { lines: 'x'.repeat(100_000) });
    const { block, length } = packTrace(trace, new TraceMemory());
    assert.ok(block.bytes.length < length * 1.1, `${block.bytes.length} for ${length}`);
  });

  it('keeps a trace of which nothing is known, and one of the longest, behind each other', () => {
    const memory = new TraceMemory();
    const request = { ...fullTrace().request, headers: [], path: '', query: '' };
    const empty = new Trace('', 'slow', 'stages', USUAL_DETAILS, request, 0, null);
    const long = fullTrace();
    for (let i = 0; i < 600; i += 1)
      long.passedRequest(long.begin('handler', `step ${i}`), 'step', ['A', 'x'.repeat(i)]);
    for (const trace of [empty, long, empty]) {
      const content = contentOf(trace);
      const found = contentOf(unpackTrace(packTrace(trace, memory)));
      assert.deepEqual({ ...found, spans: [] }, { ...content, spans: [] });
      assert.equal((found.spans as unknown[]).length, trace.spans.length);
    }
  });
});
