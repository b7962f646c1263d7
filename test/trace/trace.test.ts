import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Trace, USUAL_DETAILS } from '../../src/trace/trace.ts';

/** A trace that counts how often it was over. */
function responding(): { trace: Trace; overs: () => number } {
  const request = { method: 'GET', path: '/', query: '', protocol: 'HTTP/1.1', secure: false, host: '', client: '' };
  const traced = { ...request, listener: '', headers: [], bodyBytes: 0 };
  const trace = new Trace('a', 'sampled', 'full', USUAL_DETAILS, traced, performance.now(), null);
  let overs = 0;
  trace.onOver = () => {
    overs += 1;
    for (const { kind, endMs } of trace.spans) assert.ok(endMs >= 0, `${kind} has no end`);
  };
  trace.respond(200, '');
  return { trace, overs: () => overs };
}

describe('Trace', () => {
  it('is over when the client has taken the response, not before', () => {
    const { trace, overs } = responding();
    trace.beginFlush();
    trace.answered(200, 5);
    assert.equal(overs(), 0);
    trace.endFlush();
    assert.equal(overs(), 1);
  });

  it('waits for Python and for the client, whichever is last', () => {
    for (const pythonIsLast of [true, false]) {
      const { trace, overs } = responding();
      const payload = Uint8Array.of(1, 2);
      trace.awaitPython(1);
      trace.beginFlush();
      trace.answered(200, 5);
      if (pythonIsLast) trace.endFlush();
      else trace.receivePython(payload);
      assert.equal(overs(), 0);
      if (pythonIsLast) {
        trace.receivePython(payload);
      } else {
        payload.fill(9);
        assert.deepEqual(trace.payload, Uint8Array.of(1, 2), 'what arrives early is copied');
        trace.endFlush();
      }
      assert.equal(overs(), 1);
    }
  });

  it('waits for the client when what happened in Python is lost', () => {
    const { trace, overs } = responding();
    trace.awaitPython(1);
    trace.beginFlush();
    trace.answered(200, 5);
    trace.losePython('The worker died.');
    assert.equal(overs(), 0);
    trace.endFlush();
    assert.equal(overs(), 1);
  });
});
