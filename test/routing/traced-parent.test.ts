import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Next } from '../../src/http/handler.ts';
import type { HeaderList, Request } from '../../src/http/message.ts';
import { newRecord } from '../../src/http/request-record.ts';
import { Response } from '../../src/http/response.ts';
import { addsTraceParent, composeTraced } from '../../src/routing/traced-chain.ts';
import { documentOf } from '../../src/trace/document-of.ts';
import { Trace, USUAL_DETAILS } from '../../src/trace/trace.ts';
import { requestOf } from '../support/handler.ts';

const TRACE_PARENT = /^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/;

/** The request that the end of a chain gets for a traced request with these fields, and the trace. */
function passed(
  headers: HeaderList,
  adds: boolean,
): { readonly sent: Request; readonly got: Request; readonly trace: Trace } {
  const request = { method: 'GET', path: '/', query: '', protocol: 'HTTP/1.1', secure: false, host: '', client: '' };
  const trace = new Trace(
    'id',
    'sampled',
    'full',
    USUAL_DETAILS,
    { ...request, listener: '', headers, bodyBytes: 0 },
    1,
    null,
  );
  const sent = { ...requestOf({ headers }), record: { ...newRecord(), trace } } as Request;
  let got: Request | null = null;
  const next: Next = (one) => {
    got = one;
    return Response.text(200, 'x');
  };
  composeTraced([], { name: 'application', next: adds ? addsTraceParent(next) : next, application: 'main' })(sent);
  trace.answered(200, 1);
  return { sent, got: got ?? assert.fail('the end was not called'), trace };
}

describe('the field traceparent of a traced request', () => {
  it('is left to an end that adds it: the request stays as it is, and the hop shows the field', () => {
    const { sent, got, trace } = passed(['Host', 'a'], true);
    assert.equal(got, sent);
    const { headers } = documentOf(trace).hops[0] ?? assert.fail('there is no hop');
    assert.deepEqual(headers[0], ['Host', 'a']);
    assert.equal(headers[1]?.[0], 'traceparent');
    assert.match(headers[1]?.[1] ?? '', TRACE_PARENT);
  });

  it('comes in the place of what the client sent, also for an end that adds it', () => {
    for (const name of ['traceparent', 'TRACESTATE', 'Viaduct_Trace']) {
      const { got } = passed(['Host', 'a', name, 'of the client'], true);
      assert.doesNotMatch(got.headers.join(), /of the client/);
      assert.match(got.headers[got.headers.indexOf('traceparent') + 1] ?? '', TRACE_PARENT);
    }
  });

  it('is one of the fields of the request for every other end', () => {
    const { got } = passed(['Host', 'a'], false);
    assert.match(got.headers[got.headers.indexOf('traceparent') + 1] ?? '', TRACE_PARENT);
  });
});
