import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { prepareSpanExport, type SpanExport } from '../../src/trace/otlp-span-export.ts';
import { MemoryTraces } from '../support/memory-traces.ts';
import { type Received, Receiver } from '../support/otlp-receiver.ts';
import { documentOf, hostileDocument, spanOf } from '../support/trace-document.ts';
import { eventually } from '../support/wait.ts';

interface JsonSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly { readonly key: string; readonly value: Readonly<Record<string, unknown>> }[];
  readonly status: { readonly code?: number };
  readonly events: readonly unknown[];
}

function spansIn(received: readonly Received[]): JsonSpan[] {
  return received.flatMap(({ body }) => body.resourceSpans[0].scopeSpans[0].spans as JsonSpan[]);
}

function attributesOf({ attributes }: JsonSpan): Record<string, unknown> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));
}

describe('the export of spans by OTLP', () => {
  let receiver: Receiver;
  let traces: MemoryTraces;
  let told: string[] = [];
  const start = async (): Promise<SpanExport> => {
    const url = (await receiver.listen()).replace('/v1/metrics', '/v1/traces');
    const prepared = await prepareSpanExport({
      url,
      service: 'shop',
      version: '1.2.3',
      onFailure: (reason) => told.push(`failure: ${reason}`),
      onRecovery: (dropped) => told.push(`recovery: ${dropped}`),
    });
    return prepared(traces);
  };

  beforeEach(() => {
    receiver = new Receiver();
    traces = new MemoryTraces();
    told = [];
  });
  afterEach(() => receiver.close());

  it('sends a request as a span of the server by the conventions for HTTP, with its parts below it', async () => {
    const spans = await start();
    traces.keep(documentOf({ parentSpanId: '00f067aa0ba902b7' }));
    await spans.stop();
    const [{ path, body }] = receiver.received as [Received];
    assert.equal(path, '/v1/traces');
    const resource = JSON.stringify(body.resourceSpans[0].resource);
    assert.match(resource, /"service.name","value":\{"stringValue":"shop"/);
    const sent = spansIn(receiver.received);
    const [root, ...parts] = sent as [JsonSpan, ...JsonSpan[]];
    assert.deepEqual(
      [root.traceId, root.spanId, root.parentSpanId],
      ['0af7651916cd43dd8448eb211c80319c', 'b7ad6b7169203331', '00f067aa0ba902b7'],
    );
    assert.deepEqual([root.name, root.kind], ['GET shop', 2]);
    const attributes = attributesOf(root);
    const expected = {
      'http.request.method': 'GET',
      'url.path': '/shop/',
      'url.query': 'page=2',
      'url.scheme': 'http',
      'http.route': 'shop',
      'http.response.status_code': 200,
      'network.protocol.version': '1.1',
      'server.address': '127.0.0.1',
      'server.port': 8000,
      'client.address': '127.0.0.1',
      'user_agent.original': 'curl/8.5',
      'viaduct.request.id': 'a1b2c3-1',
    };
    for (const [name, value] of Object.entries(expected)) assert.equal(attributes[name], value, name);
    assert.equal(BigInt(root.endTimeUnixNano) - BigInt(root.startTimeUnixNano), 42_000_000n);
    assert.equal(root.startTimeUnixNano, `${Date.parse('2026-03-01T12:00:00.250Z')}000000`);
    assert.equal(root.status.code ?? 0, 0);
    const ids = new Set(sent.map(({ spanId }) => spanId));
    assert.equal(ids.size, sent.length);
    assert.ok(parts.every(({ parentSpanId = '' }) => ids.has(parentSpanId)));
  });

  it('names queries by their operation, with their text as an attribute, and what they wait for as a client', async () => {
    const spans = await start();
    traces.keep(documentOf());
    await spans.stop();
    const sent = spansIn(receiver.received);
    const query = sent.find(({ name }) => name === 'SELECT') as JsonSpan;
    assert.equal(query.kind, 3);
    const attributes = attributesOf(query);
    assert.match(String(attributes['db.query.text']), /^SELECT "shop_author"/);
    assert.deepEqual(
      [attributes['db.system.name'], attributes['code.file.path'], attributes['code.line.number']],
      ['sqlite', 'shop/views.py', 31],
    );
    const template = sent.find(({ name }) => name === 'template shop/books.html') as JsonSpan;
    assert.deepEqual([template.kind, attributesOf(template)['viaduct.template.name']], [1, 'shop/books.html']);
    const view = sent.find(({ name }) => name === 'view shop.views.books');
    assert.equal(query.parentSpanId, view?.spanId);
  });

  it('has exceptions as events, methods that nobody knows as _OTHER, and hostile texts as they are', async () => {
    const spans = await start();
    const document = hostileDocument();
    traces.keep(document);
    await spans.stop();
    const [root] = spansIn(receiver.received) as [JsonSpan];
    assert.equal(root.status.code, 2);
    assert.equal(attributesOf(root)['http.request.method'], '_OTHER');
    assert.equal(attributesOf(root)['http.request.method_original'], document.request.method);
    assert.match(JSON.stringify(root.events), /"exception.stacktrace"/);
  });

  it('does not repeat the kind where the name has it as a word', async () => {
    const spans = await start();
    const at = { startUs: 0, endUs: 1 };
    const parts = [
      spanOf({ kind: 'head', name: 'head of the request', ...at }),
      spanOf({ kind: 'view', name: 'shop.views.books', ...at }),
      spanOf({ kind: 'queue', ...at }),
    ];
    traces.keep(documentOf({ spans: parts }));
    await spans.stop();
    const [, ...names] = spansIn(receiver.received).map(({ name }) => name);
    assert.deepEqual(names, ['head of the request', 'view shop.views.books', 'queue']);
  });

  it('leaves out what has not ended, and sends nothing without traces', async () => {
    const spans = await start();
    traces.keep(documentOf({ durationUs: null, state: 'running' }));
    await spans.stop();
    assert.deepEqual(receiver.received, []);
  });

  it('keeps what a receiver does not take, tells it once, and sends it later', async () => {
    receiver.status = 400;
    const spans = await start();
    traces.keep(documentOf({ id: 'first' }));
    await eventually('a failure', () => told.length === 1);
    traces.keep(documentOf({ id: 'second' }));
    receiver.status = 200;
    receiver.received.length = 0;
    await eventually('a recovery', () => told.length === 2);
    await spans.stop();
    assert.match(told[0] ?? '', /^failure: /);
    assert.equal(told[1], 'recovery: 0');
    const ids = spansIn(receiver.received).map((span) => attributesOf(span)['viaduct.request.id']);
    assert.deepEqual(ids.filter((id) => id !== undefined).sort(), ['first', 'second']);
  });

  it('drops the oldest traces when too many wait, and ends while nobody answers', async () => {
    const spans = await start();
    await receiver.close();
    for (let i = 0; i < 600; i += 1) traces.keep(documentOf({ id: `r${i}`, spans: [] }));
    await eventually('a failure', () => told.length === 1);
    receiver = new Receiver();
    await spans.stop();
    assert.equal(told.length, 1);
  });
});
