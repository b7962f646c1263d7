import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { traceClock } from '../../src/trace/clock.ts';
import type { TraceDocument } from '../../src/trace/document.ts';
import { documentOf } from '../../src/trace/document-of.ts';
import { Trace, USUAL_DETAILS } from '../../src/trace/trace.ts';
import { marshalled, recordOf } from '../support/payload.ts';

/** A trace that starts at 1000 ms, whose request reaches its lane after 2 ms; Python runs it from 1003 to 1013 ms, and it is answered at 1015 ms. */
function traceOf(payload: Uint8Array | null): Trace {
  const request = { method: 'GET', path: '/', query: '', protocol: 'HTTP/1.1', secure: false, host: '', client: '' };
  const traced = { ...request, listener: '', headers: [], bodyBytes: 0 };
  const trace = new Trace('id', 'sampled', 'full', USUAL_DETAILS, traced, 1000, null);
  trace.add('handler', 'application', 1001, 1014, -1);
  trace.add('queue', 'queue', 1001, 1002, 0);
  trace.add('lane', 'lane', 1002, 1014, 0);
  trace.add('response', 'response', 1014, 1015, -1);
  trace.awaitPython(42);
  trace.noteReturn(9e6, 1013);
  if (payload !== null) trace.receivePython(payload);
  trace.passedRequest(0, 'the client', ['A', '1']);
  trace.passedResponse(3, 'the server', 200, 'B: 2\r\n');
  trace.answered(200, 5);
  trace.endMs = 1015;
  return trace;
}

const ns = (ms: number): string => String(Math.round((ms + traceClock().offsetMs) * 1e6));

function pythonOf(parts: Readonly<Record<string, string>> = {}): Uint8Array {
  return marshalled(recordOf({ start: ns(1003), end: ns(1012.5), ...parts }));
}

function shape({ spans }: TraceDocument): string[] {
  return spans.map(({ kind, parent, startUs, endUs }) => `${kind} in ${spans[parent]?.kind} ${startUs}-${endUs}`);
}

describe('documentOf', () => {
  it('joins what server and worker recorded, on one clock', () => {
    const spans = `[("view", "page", ${ns(1004)}, ${ns(1012)}, -1, None, "views.py", 3), ("query", "SELECT", ${ns(1005)}, ${ns(1006)}, 0, {"sql": "SELECT 1"}, "views.py", 4)]`;
    const document = documentOf(traceOf(pythonOf({ spans })));
    assert.deepEqual(shape(document), [
      'handler in undefined 1000-14000',
      'queue in handler 1000-2000',
      'lane in handler 2000-3000',
      'python in handler 3000-12500',
      'view in python 4000-12000',
      'query in view 5000-6000',
      'return in handler 12000-13000',
      'response in undefined 14000-15000',
    ]);
    assert.equal(document.state, 'done');
    assert.equal(document.durationUs, 15_000);
    assert.deepEqual(document.times, { queueUs: 1000, pythonUs: 9500, backendUs: 0, clientUs: 0, ownUs: 4500 });
    assert.ok(document.clockErrorUs >= 1);
    assert.deepEqual(document.application, { name: '', worker: 42, thread: 'MainThread' });
  });

  it('has the hops in order: those of Python lie between those of the server', () => {
    const spans = `[("middleware", "M", ${ns(1004)}, ${ns(1012)}, -1, None, "", 0)]`;
    const hops =
      '[(0, "request", "middleware M", "", [("A", "2")]), (0, "response", "middleware M", "200 OK", [("Set-Cookie", "a=b")])]';
    const document = documentOf(traceOf(pythonOf({ spans, hops })));
    assert.deepEqual(
      document.hops.map(({ span, direction, name, headers }) => [document.spans[span]?.kind, direction, name, headers]),
      [
        ['handler', 'request', 'the client', [['A', '1']]],
        ['middleware', 'request', 'middleware M', [['A', '2']]],
        ['middleware', 'response', 'middleware M', [['Set-Cookie', 'a=[redacted]']]],
        ['response', 'response', 'the server', [['B', '2']]],
      ],
    );
  });

  it('says what is missing when the worker died half-way', () => {
    const trace = traceOf(null);
    trace.losePython('What happened in Python is not known: the worker ended.');
    const document = documentOf(trace);
    assert.equal(document.state, 'incomplete');
    assert.deepEqual(document.missing, ['What happened in Python is not known: the worker ended.']);
    assert.ok(document.spans.some(({ kind, endUs }) => kind === 'lane' && endUs !== null));
  });

  it('gives Python the time of a request whose worker died, once nothing came before it', () => {
    const request = { method: 'GET', path: '/', query: '', protocol: 'HTTP/1.1', secure: false, host: '', client: '' };
    const traced = { ...request, listener: '', headers: [], bodyBytes: 0 };
    const died = (isBehind: boolean, again: boolean): TraceDocument => {
      const startMs = performance.now();
      const trace = new Trace('id', 'sampled', 'full', USUAL_DETAILS, traced, startMs, null);
      trace.enterStage('lane', 'lane 1', isBehind);
      trace.awaitPython(42);
      const [lane] = trace.spans;
      assert.ok(lane !== undefined);
      if (isBehind && !again) trace.becomeFirst(lane.startMs + 3);
      trace.fail('the worker died of SIGKILL');
      if (again) trace.enterStage('queue', 'queue again');
      trace.losePython('The worker ended.');
      trace.leaveStage();
      for (const span of trace.spans) {
        span.endMs = lane.startMs + 10;
        if (again && span === lane) span.attributes = { ...span.attributes, behind_us: 10_000 };
      }
      trace.answered(502, 0);
      trace.endMs = lane.startMs + 10;
      return documentOf(trace);
    };
    const spansOf = ({ spans }: TraceDocument): unknown[] =>
      spans.map(({ kind, startUs, endUs, attributes }) => [kind, (endUs ?? 0) - startUs, attributes.error]);
    const error = 'the worker died of SIGKILL';
    assert.deepEqual(spansOf(died(false, false)), [
      ['lane', 0, undefined],
      ['python', 10_000, error],
    ]);
    assert.deepEqual(spansOf(died(true, false)), [
      ['lane', 3000, undefined],
      ['python', 7000, error],
    ]);
    const back = died(true, true);
    assert.deepEqual(
      back.spans.map(({ kind }) => kind),
      ['lane', 'queue'],
      'it was not started',
    );
    assert.equal(back.times.pythonUs, 0);
  });

  it('says what is missing when the record of the worker cannot be read', () => {
    for (const payload of [
      Uint8Array.of(1, 2, 3),
      marshalled(recordOf({ v: '2' })),
      pythonOf({ log: '[("nonsense",), 1, None]' }),
    ]) {
      const document = documentOf(traceOf(payload));
      assert.equal(document.state, 'incomplete');
      assert.match(document.missing.join(), /record cannot be read, because it /);
    }
  });

  it('says how many spans are missing, and what the recorder could not record', () => {
    const { missing } = documentOf(traceOf(pythonOf({ dropped: '17', notes: '["a template could not be recorded"]' })));
    assert.match(missing.join('\n'), /a template could not be recorded\n17 spans/);
  });

  it('groups the environ as PEP 3333 does, and redacts its secrets', () => {
    const environ =
      '[("HOME", "/root", True), ("wsgi.version", "(1, 0)", False), ("SERVER_NAME", "a", True), ("REQUEST_METHOD", "GET", True), ' +
      '("HTTP_COOKIE", "sessionid=abc", True), ("QUERY_STRING", "token=abc&a=1", True), ("DB_PASSWORD", "abc", True), ("viaduct.request_id", "x", True)]';
    const items = documentOf(traceOf(pythonOf({ environ }))).environ ?? [];
    assert.deepEqual(
      items.map(({ group, name, value }) => `${group} ${name}=${value}`),
      [
        'request REQUEST_METHOD=GET',
        'request HTTP_COOKIE=sessionid=[redacted]',
        'request QUERY_STRING=token=[redacted]&a=1',
        'server SERVER_NAME=a',
        'server viaduct.request_id=x',
        'wsgi wsgi.version=(1, 0)',
        'process HOME=/root',
        'process DB_PASSWORD=[redacted]',
      ],
    );
  });

  it('names N+1 queries and duplicates', () => {
    const query = (sql: string, hash: string, line: number): string =>
      `("query", "SELECT", ${ns(1005)}, ${ns(1006)}, -1, {"sql": "${sql}", "parameters_hash": "${hash}"}, "views.py", ${line})`;
    const spans = `[${[
      ...['1', '2', '3', '4'].map((hash) => query('SELECT author', hash, 10)),
      ...['5', '5'].map((hash) => query('SELECT user', hash, 20)),
      ...['6', '7'].map((hash) => query('SELECT twice', hash, 30)),
    ].join(', ')}]`;
    const { queries, spans: shown } = documentOf(traceOf(pythonOf({ spans })));
    assert.deepEqual([queries.count, queries.us], [8, 8000]);
    const brief = (list: TraceDocument['queries']['nPlusOne']): unknown =>
      list.map(({ sql, count, line }) => [sql, count, line]);
    assert.deepEqual(brief(queries.nPlusOne), [['SELECT author', 4, 10]]);
    assert.deepEqual(brief(queries.duplicates), [['SELECT user', 2, 20]]);
    assert.ok(shown.every(({ attributes }) => !('parameters_hash' in attributes)));
  });

  it('hides secrets in exceptions and locals', () => {
    const exception =
      '{"type": "E", "message": "password=hunter2", "traceback": "token: hunter2", "frames": [("a.py", 1, "f", ["api_key = \'hunter2\'"], 1, [("password", "\'hunter2\'"), ("x", "1")], True)], "members": 0, "chain": [{"relation": "cause", "of": -1, "members": 0, "type": "F", "message": "password=hunter2", "frames": [("a.py", 1, "f", [], 1, [("token", "\'hunter2\'")], True)]}]}';
    const document = documentOf(traceOf(pythonOf({ exception })));
    assert.doesNotMatch(JSON.stringify(document), /hunter2/);
    assert.deepEqual(document.exception?.frames[0]?.locals, [
      ['password', '[redacted]'],
      ['x', '1'],
    ]);
    assert.equal(document.exception?.chain[0]?.relation, 'cause');
  });
});
