import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { Request } from '../../src/http/message.ts';
import { newRecord } from '../../src/http/request-record.ts';
import { Trace, type TraceDetails, USUAL_DETAILS } from '../../src/trace/trace.ts';
import { Batch } from '../../src/workers/batch.ts';
import { COMPLETE, FAILED, RECALLED, TRACE } from '../../src/workers/frames.ts';
import { MarshalWriter } from '../../src/workers/marshal.ts';
import { PendingRequest } from '../../src/workers/pending-request.ts';
import { WorkerHeaderCache } from '../../src/workers/worker-header-cache.ts';
import { requestOf } from '../support/handler.ts';
import { frame, makeLane, type TestLane } from '../support/lane.ts';
import { ROOT } from '../support/viaduct.ts';

const RECORD = Buffer.from('a record', 'latin1');

function traceOf(details: TraceDetails = USUAL_DETAILS): Trace {
  const request = { method: 'GET', path: '/', query: '', protocol: 'HTTP/1.1', secure: false, host: '', client: '' };
  const traced = { ...request, listener: '', headers: [], bodyBytes: 0 };
  const now = performance.now();
  return new Trace('id', 'sampled', 'full', details, traced, now, null);
}

function pendingOf(id: number, trace: Trace | null): PendingRequest {
  return new PendingRequest(id, { ...requestOf({}), record: { ...newRecord(), trace } } as Request);
}

/** A lane to which the requests 1 and 2 are sent, both traced. */
function tracedLane(): TestLane & { readonly traces: readonly Trace[] } {
  const lane = makeLane([]);
  const traces = [1, 2].map((id) => {
    const trace = traceOf();
    lane.lane.send(pendingOf(id, trace));
    return trace;
  });
  return { ...lane, traces };
}

const answer = (id: number): Buffer => frame({ id, kind: COMPLETE, body: 'ok' });
const record = (id: number): Buffer => frame({ id, kind: TRACE, body: RECORD });

describe('the records of traced requests', () => {
  it('arrive after the responses, and belong to their requests', () => {
    const { receive, traces, broken, lane } = tracedLane();
    receive(Buffer.concat([answer(1), record(1), answer(2), record(2)]));
    assert.deepEqual(broken, []);
    assert.equal(lane.inflight.length, 0);
    for (const trace of traces) {
      assert.equal(trace.python, 'arrived');
      assert.deepEqual(Buffer.from(trace.payload ?? []), RECORD);
    }
  });

  it('arrive in any pieces', () => {
    const { receive, traces } = tracedLane();
    for (const byte of Buffer.concat([answer(1), record(1)])) receive(Uint8Array.of(byte));
    assert.deepEqual(Buffer.from(traces[0]?.payload ?? []), RECORD);
  });

  it('arrive for requests that failed', () => {
    const { receive, traces, broken } = tracedLane();
    receive(Buffer.concat([frame({ id: 1, kind: FAILED, body: 'Traceback' }), record(1)]));
    assert.deepEqual(broken, []);
    assert.equal(traces[0]?.python, 'arrived');
  });

  it('are refused when they come twice', () => {
    const { receive, broken, traces } = tracedLane();
    receive(Buffer.concat([answer(1), record(1), record(1)]));
    assert.deepEqual(broken, ['it recorded a request that nobody traces']);
    assert.equal(traces[1]?.python, 'awaited');
  });

  it('are not awaited of a request that the worker gave back', () => {
    const { receive, lane, broken } = tracedLane();
    lane.recall();
    receive(frame({ id: 0, kind: RECALLED, body: new Uint8Array(Uint32Array.of(2).buffer) }));
    assert.deepEqual(broken, []);
    receive(record(2));
    assert.deepEqual(broken, ['it recorded a request that nobody traces']);
  });

  it('are missing, with the reason, when the worker has died', () => {
    const { receive, lane, traces } = tracedLane();
    receive(answer(1));
    lane.breakOff();
    lane.loseTraces('the worker died of SIGKILL');
    for (const trace of traces) {
      assert.equal(trace.python, 'lost');
      assert.match(trace.pythonMissing, /: the worker died of SIGKILL before it sent/);
    }
    const errors = traces.map(({ spans }) => spans.map(({ attributes }) => attributes?.error));
    assert.deepEqual(errors, [[undefined], ['the worker died of SIGKILL']], 'only the second one still had the lane');
  });

  it('do not fail a response of the server itself, such as that of a request that took too long', () => {
    const { lane, traces } = tracedLane();
    const [first] = traces;
    first?.fail('it took too long');
    first?.leaveStage();
    first?.respond(504, '');
    lane.loseTraces('the worker was killed, because a thread did not end a request,');
    const errors = traces.map(({ spans }) => spans.map(({ attributes }) => attributes?.error));
    assert.deepEqual(errors, [
      ['it took too long', undefined],
      ['the worker was killed, because a thread did not end a request'],
    ]);
  });

  it('are bounded: a worker that never sends one costs no memory', () => {
    const { lane, receive } = tracedLane();
    const first = traceOf();
    for (let id = 3; id < 3000; id += 1) {
      lane.send(pendingOf(id, id === 3 ? first : traceOf()));
      receive(answer(lane.inflight[0]?.id ?? 0));
    }
    assert.equal(first.python, 'lost');
  });
});

describe('a traced request in a batch', () => {
  /** What Python reads of a batch with one request. */
  function readByPython(details: TraceDetails | null, body: Uint8Array | null): unknown {
    const written: Uint8Array[] = [];
    const socket = {
      write: (bytes: Uint8Array) => written.push(Buffer.from(bytes)),
      cork() {},
      uncork() {},
      writableLength: 0,
    };
    const batch = new Batch(socket as never, 0);
    const pending = pendingOf(7, details === null ? null : traceOf(details));
    if (body !== null) pending.body = { length: body.length, blocks: [body], path: null, release() {} };
    batch.add(pending);
    batch.flush();
    const code =
      'import marshal, sys, json; data = sys.stdin.buffer.read(); assert len(data) == int.from_bytes(data[:4], "little") + 4;' +
      '[item] = marshal.loads(data[4:]); print(json.dumps([item[0], len(item), len(item[5] or b""), item[6:]]))';
    const python = join(ROOT, '.setup/venv/bin/python');
    return JSON.parse(execFileSync(python, ['-c', code], { input: Buffer.concat(written) }).toString());
  }

  it('has a seventh item that says what to record', () => {
    assert.deepEqual(readByPython(USUAL_DETAILS, null), [7, 7, 0, ['full']]);
    assert.deepEqual(readByPython({ sqlParameters: true, locals: true, profile: true }, null), [
      ...[7, 7, 0],
      ['full sql_parameters locals profile'],
    ]);
  });

  it('has it behind a small and a large body', () => {
    for (const length of [1, 16_384, 16_385, 200_000])
      assert.deepEqual(readByPython(USUAL_DETAILS, Buffer.alloc(length, 'x')), [7, 7, length, ['full']]);
  });

  it('has six items without a trace', () => {
    for (const body of [null, Buffer.alloc(200_000)])
      assert.deepEqual(readByPython(null, body), [7, 6, body?.length ?? 0, []]);
  });

  it('send the field traceparent besides the fields of the request, where the chain leaves it to the lane', () => {
    const written = (trace: Trace | null): string => {
      const writer = new MarshalWriter();
      writer.reset(0);
      pendingOf(1, trace).write(writer, new WorkerHeaderCache(1));
      return Buffer.from(writer.bytes.subarray(0, writer.end)).toString('latin1');
    };
    const trace = traceOf();
    for (const without of [null, trace]) assert.doesNotMatch(written(without), /HTTP_TRACEPARENT/);
    trace.parentHop = 0;
    assert.ok(written(trace).includes(`00-${trace.traceId}-${trace.spanId}-01`));
    assert.match(written(trace), /HTTP_TRACEPARENT/);
  });
});
