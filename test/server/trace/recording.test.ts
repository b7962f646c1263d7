import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { describe, it } from 'node:test';
import { NO_ARRIVAL } from '../../../src/http/transport/server-context.ts';
import { TraceRecording } from '../../../src/server/trace/recording.ts';
import { optionsOnRequest } from '../../../src/site/trace-options.ts';
import type { Span, SpanKind, TraceDocument } from '../../../src/trace/document.ts';
import { newOneTimeToken, signToken, TRACE_FIELD } from '../../../src/trace/token.ts';
import { USUAL_DETAILS } from '../../../src/trace/trace.ts';
import type { Application } from '../../../src/wsgi/contract.ts';
import { requestOf } from '../../support/handler.ts';
import { ask, Pipeline } from '../../support/http-client.ts';
import { startTraced } from '../../support/traced-server.ts';
import { eventually } from '../../support/wait.ts';

/** Answers with the fields that it got; `/fails` throws, `/slow` takes its time. */
const application: Application = (environ, startResponse) => {
  if (environ.PATH_INFO === '/fails') throw new Error('broken on purpose');
  startResponse('200 OK', [
    ['Content-Type', 'text/plain'],
    ['X-Own', 'yes'],
  ]);
  const fields = Object.entries(environ).filter(([name]) => name.startsWith('HTTP_'));
  return [Buffer.from(fields.map(([name, value]) => `${name}=${String(value)}\n`).join(''))];
};

const ALL = { trace: { sample: 1 } };
const SECRET = 'a key of many characters';

function spanOf({ spans }: TraceDocument, kind: SpanKind, name?: string): Span {
  const found = spans.find((span) => span.kind === kind && (name === undefined || span.name === name));
  assert.ok(found, `${kind} ${name ?? ''} in ${spans.map((span) => `${span.kind} ${span.name}`).join(', ')}`);
  return found;
}

function parentOf({ spans }: TraceDocument, { parent }: Span): string {
  return spans[parent]?.name ?? '';
}

describe('TraceRecording', () => {
  it('records the whole way of a request through a route to an application in TypeScript', async (t) => {
    const { port, newest, list } = await startTraced(
      t,
      {
        ...ALL,
        route: [
          { name: 'admin', path: '/admin/*', respond: { status: 204 } },
          { name: 'posts', path: '/pages/*', methods: 'POST', respond: { status: 204 } },
          { name: 'pages', path: '/pages/*', headers: { set: { 'X-Added': 'by the route' } }, app: 'main' },
        ],
      },
      application,
    );
    const { status, body } = await ask(port, '/pages/a?x=1', { headers: [['X-Sent', 'by the client']] });
    assert.equal(status, 200);
    const trace = await newest();
    assert.equal(trace.state, 'done');
    assert.equal(trace.kept, 'sampled');
    assert.equal(trace.detail, 'full');
    assert.equal(trace.request.target, '/pages/a?x=1');
    assert.deepEqual(
      trace.request.headers.find(([name]) => name === 'X-Sent'),
      ['X-Sent', 'by the client'],
    );
    assert.equal(trace.response?.status, 200);
    assert.equal(trace.response.bodyBytes, body.length);
    assert.equal(trace.route?.name, 'pages');
    assert.match(trace.route.why, /the path \/pages\/a matches \/pages\/\*/i);
    assert.deepEqual(
      trace.route.rejected.map(({ name, why }) => [name, why]),
      [
        ['admin', 'The path /pages/a does not match /admin/*.'],
        ['posts', 'Its methods are POST, not GET.'],
      ],
    );
    assert.equal(trace.application?.name, 'main');
    assert.deepEqual(trace.missing, []);
    for (const kind of ['connection', 'head', 'rules', 'route', 'handler', 'response'] as const) spanOf(trace, kind);
    const end = spanOf(trace, 'handler', 'application main');
    assert.equal(parentOf(trace, end), 'headers');
    for (const { startUs, endUs } of trace.spans) assert.ok(endUs !== null && endUs >= startUs);
    const names = trace.hops.map(({ direction, name }) => `${direction} ${name}`);
    assert.deepEqual(names, [
      'request the client',
      'request application main',
      'response application main',
      'response handler headers',
      'response the server',
    ]);
    const added = trace.hops.map(({ headers }) => headers.some(([name]) => name === 'X-Added'));
    assert.deepEqual(added, [false, false, false, true, true]);
    const { times, durationUs } = trace;
    assert.equal(times.clientUs + times.ownUs + times.pythonUs + times.queueUs + times.backendUs, durationUs);
    const [summary] = list();
    assert.equal(summary?.route, 'pages');
    assert.equal(summary.durationUs, durationUs);
  });

  it('gives the application a traceparent of its own, and continues the trace of a trusted proxy', async (t) => {
    const { port, newest } = await startTraced(t, { ...ALL, trustedProxies: ['127.0.0.1'] }, application);
    const parent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const { body } = await ask(port, '/', {
      headers: [
        ['traceparent', parent],
        ['tracestate', 'a=b'],
      ],
    });
    const trace = await newest();
    assert.equal(trace.traceId, '0af7651916cd43dd8448eb211c80319c');
    assert.equal(trace.parentSpanId, 'b7ad6b7169203331');
    assert.match(body, new RegExp(`HTTP_TRACEPARENT=00-${trace.traceId}-${trace.spanId}-01\n`));
    assert.match(body, /HTTP_TRACESTATE=a=b\n/);
  });

  it('starts a trace of its own for a client that is not trusted, and with traceparent = "ignore"', async (t) => {
    const parent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    for (const options of [
      { ...ALL, trustedProxies: [] },
      { trace: { sample: 1, traceparent: 'ignore' }, trustedProxies: ['127.0.0.1'] },
    ]) {
      const { port, newest } = await startTraced(t, options, application);
      const { body } = await ask(port, '/', {
        headers: [
          ['traceparent', parent],
          ['tracestate', 'a=b'],
        ],
      });
      const trace = await newest();
      assert.notEqual(trace.traceId, '0af7651916cd43dd8448eb211c80319c');
      assert.equal(trace.parentSpanId, null);
      assert.match(body, new RegExp(`HTTP_TRACEPARENT=00-${trace.traceId}-${trace.spanId}-01\n`));
      assert.doesNotMatch(body, /TRACESTATE/);
    }
  });

  it('keeps the stages of requests that failed, although none is sampled', async (t) => {
    const { port, newest, list } = await startTraced(t, { trace: {} }, application);
    assert.equal((await ask(port, '/')).status, 200);
    assert.equal((await ask(port, '/fails')).status, 500);
    const trace = await newest();
    assert.deepEqual([trace.kept, trace.detail, trace.response?.status], ['failed', 'stages', 500]);
    assert.match(trace.missing.join(), /not recorded in full/);
    assert.equal(list().length, 1);
  });

  it('keeps no failed request with keep_failed = false', async (t) => {
    const { port, list } = await startTraced(t, { trace: { keepFailed: false } }, application);
    assert.equal((await ask(port, '/fails')).status, 500);
    assert.equal(list().length, 0);
  });

  it('records the share of each route', async (t) => {
    const { port, list } = await startTraced(
      t,
      {
        trace: { sample: 0 },
        route: [
          { name: 'all', path: '/all', trace: 1, app: 'main' },
          { name: 'none', path: '/none', app: 'main' },
        ],
      },
      application,
    );
    const pipeline = await Pipeline.open(port);
    t.after(() => pipeline.close());
    for (const path of ['/all', '/none', '/other', '/all', '/none']) assert.equal((await ask(port, path)).status, 200);
    assert.deepEqual(
      list().map(({ route }) => route),
      ['all', 'all'],
    );
  });

  it('records nothing at all without [trace], until somebody makes a token for one request', async (t) => {
    const { port, server, list, newest } = await startTraced(t, {}, application);
    await ask(port, '/fails');
    assert.equal(server.recording.isOn, false);
    const token = newOneTimeToken();
    server.recording.acceptToken(token, USUAL_DETAILS);
    const headers = [['Viaduct-Trace', token]] as const;
    const { body } = await ask(port, '/asked', { headers });
    assert.doesNotMatch(body, /VIADUCT_TRACE/);
    const trace = await newest();
    assert.equal(trace.kept, 'asked');
    assert.equal(trace.detail, 'full');
    await ask(port, '/again', { headers });
    await ask(port, '/without');
    assert.deepEqual(
      list().map(({ target }) => target),
      ['/asked'],
    );
    assert.equal(server.recording.isOn, false);
  });

  it('records the requests of a client with a signed token in a field or a cookie', async (t) => {
    const { port, list } = await startTraced(t, { trace: { secret: SECRET } }, application);
    const token = signToken(SECRET, 60);
    await ask(port, '/field', { headers: [['viaduct-trace', token]] });
    await ask(port, '/cookie', { headers: [['Cookie', `a=b; viaduct_trace=${token}`]] });
    await ask(port, '/forged', { headers: [['viaduct-trace', signToken('another key of the same', 60)]] });
    await ask(port, '/expired', {
      headers: [['viaduct-trace', signToken(SECRET, 60, undefined, Date.now() - 120_000)]],
    });
    assert.deepEqual(
      list().map(({ target }) => target),
      ['/cookie', '/field'],
    );
  });

  it('ignores the tokens of strangers with tokens_from = "trusted"', async (t) => {
    const trace = { secret: SECRET, tokensFrom: 'trusted' };
    const headers = [['viaduct-trace', signToken(SECRET, 60)]] as const;
    const strange = await startTraced(t, { trace, trustedProxies: [] }, application);
    await ask(strange.port, '/', { headers });
    assert.equal(strange.list().length, 0);
    const trusted = await startTraced(t, { trace, trustedProxies: ['127.0.0.1'] }, application);
    await ask(trusted.port, '/', { headers });
    assert.equal(trusted.list().length, 1);
  });

  it('shows no secret of a request', async (t) => {
    const { port, newest } = await startTraced(t, ALL, application);
    const secret = 'hunter2hunter2';
    await ask(port, `/?token=${secret}&page=2`, {
      headers: [
        ['Authorization', `Bearer ${secret}`],
        ['Cookie', `sessionid=${secret}; theme=dark`],
      ],
    });
    const trace = await newest();
    assert.doesNotMatch(JSON.stringify(trace), /hunter2/);
    assert.equal(trace.request.target, '/?token=[redacted]&page=2');
    assert.deepEqual(
      trace.request.headers.find(([name]) => name === 'Cookie')?.[1],
      'sessionid=[redacted]; theme=[redacted]',
    );
  });

  it('records what a backend got and gave', async (t) => {
    const backend = createServer((request, response) => {
      response.setHeader('X-Traceparent', request.headers.traceparent ?? '');
      response.setHeader('Content-Length', '2');
      setTimeout(() => response.end('ok'), 20);
    }).listen(0, '127.0.0.1');
    t.after(() => void backend.close());
    await new Promise((resolve) => backend.once('listening', resolve));
    const { port: backendPort } = backend.address() as AddressInfo;
    const { port, newest } = await startTraced(t, {
      ...ALL,
      route: [{ name: 'proxied', proxy: `http://127.0.0.1:${backendPort}` }],
    });
    const { header } = await ask(port, '/x');
    const trace = await newest();
    assert.equal(header('x-traceparent'), `00-${trace.traceId}-${trace.spanId}-01`);
    const span = spanOf(trace, 'backend');
    assert.ok(span.endUs !== null && span.endUs - span.startUs >= 20_000);
    assert.equal(span.attributes.status, 200);
    for (const name of ['connect_us', 'wait_us']) assert.ok(Number(span.attributes[name]) >= 0, name);
    assert.ok(trace.times.backendUs >= 20_000);
    const names = trace.hops.map(({ direction, name }) => `${direction} ${name}`);
    assert.ok(names.includes(`request the proxy to http://127.0.0.1:${backendPort}`), names.join());
    assert.ok(names.includes(`response http://127.0.0.1:${backendPort}`), names.join());
  });

  it('says of a request whose client left what is known', async (t) => {
    let answer: (() => void) | null = null;
    const waiting: Application = async (_environ, startResponse) => {
      await new Promise<void>((resolve) => {
        answer = resolve;
      });
      startResponse('200 OK', []);
      return [];
    };
    const { port, newest, server } = await startTraced(t, ALL, waiting);
    const client = connect(port, '127.0.0.1');
    client.write('GET /leaves HTTP/1.1\r\nHost: test.example\r\n\r\n');
    await eventually('the application has the request', () => answer !== null);
    client.resetAndDestroy();
    await eventually('the server knows', () => server.connections === 0);
    (answer as unknown as () => void)();
    const trace = await newest();
    assert.equal(trace.response?.reason, 'client left');
    assert.equal(trace.kept, 'failed');
  });

  it('records every request in development, and notes new limits at a reload', async (t) => {
    const { port, newest, server } = await startTraced(t, { dev: true, trace: { entriesMax: 2 } }, application);
    for (const path of ['/1', '/2', '/3']) await ask(port, path);
    const trace = await newest();
    assert.equal(trace.kept, 'development');
    assert.deepEqual(server.recording.store.usage.traces, 2);
    assert.deepEqual(server.recording.store.usage.evicted, 1);
  });

  it('records in development the local variables also for somebody who asks, such as a replay', () => {
    const recording = new TraceRecording({ trusts: () => false, urlOf: () => '', onSwitched: () => {} });
    recording.take({ ...optionsOnRequest(), records: 'all' });
    const token = newOneTimeToken();
    recording.acceptToken(token, { ...USUAL_DETAILS, profile: true });
    const request = requestOf({ headers: [TRACE_FIELD, token] });
    recording.receive(request, request, NO_ARRIVAL);
    assert.deepEqual(request.record.trace?.details, { sqlParameters: false, locals: true, profile: true });
  });
});
