import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Trace, USUAL_DETAILS } from '../../src/trace/trace.ts';
import { WaitingTraces } from '../../src/trace/waiting-traces.ts';

function traceOf(id: string, endMs: number): Trace {
  const request = { method: 'GET', path: '/', query: '', protocol: 'HTTP/1.1', secure: false, host: '', client: '' };
  const traced = { ...request, listener: '', headers: [], bodyBytes: 0 };
  const trace = new Trace(id, 'sampled', 'full', USUAL_DETAILS, traced, 0, null);
  trace.endMs = endMs;
  return trace;
}

describe('WaitingTraces', () => {
  it('removes any of them once, and leaves the others', () => {
    const traces = ['a', 'b', 'c', 'd'].map((id, index) => traceOf(id, index));
    const [a, b, , d] = traces as [Trace, Trace, Trace, Trace];
    const waiting = new WaitingTraces();
    const ids = (): string[] =>
      waiting
        .answeredBefore(100)
        .map(({ id }) => id)
        .sort();
    for (const trace of traces) waiting.add(trace);
    waiting.remove(b);
    waiting.remove(b);
    assert.deepEqual(ids(), ['a', 'c', 'd']);
    waiting.remove(d);
    waiting.add(b);
    waiting.remove(a);
    assert.deepEqual(ids(), ['b', 'c']);
    assert.deepEqual(
      waiting.answeredBefore(2).map(({ id }) => id),
      ['b'],
    );
    for (const trace of traces) waiting.remove(trace);
    assert.equal(waiting.isEmpty, true);
  });
});
