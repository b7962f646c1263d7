import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { prepareSpanExport } from '../../src/trace/otlp-span-export.ts';
import { MemoryTraces } from '../support/memory-traces.ts';
import { freePort, missing, startPeer } from '../support/peer.ts';
import { makeProject } from '../support/project.ts';
import { documentOf, hostileDocument } from '../support/trace-document.ts';
import { eventually } from '../support/wait.ts';

interface JaegerSpan {
  readonly spanID: string;
  readonly operationName: string;
  readonly duration: number;
  readonly references: readonly { readonly refType: string; readonly spanID: string }[];
  readonly tags: readonly { readonly key: string; readonly value: unknown }[];
}

/** A real Jaeger, which is a collector of OpenTelemetry with a memory. Returns where it takes spans, and a function that reads traces. */
async function jaeger(t: TestContext) {
  const [taken, asked, grpc] = [await freePort(), await freePort(), await freePort()];
  const directory = makeProject(t, {
    'jaeger.yaml': `
service:
  extensions: [jaeger_storage, jaeger_query]
  pipelines: { traces: { receivers: [otlp], exporters: [jaeger_storage_exporter] } }
  telemetry: { metrics: { level: none } }
extensions:
  jaeger_query:
    storage: { traces: memory }
    http: { endpoint: "127.0.0.1:${asked}" }
    grpc: { endpoint: "127.0.0.1:${grpc}" }
  jaeger_storage: { backends: { memory: { memory: { max_traces: 1000 } } } }
receivers: { otlp: { protocols: { http: { endpoint: "127.0.0.1:${taken}" } } } }
exporters: { jaeger_storage_exporter: { trace_storage: memory } }
`,
  });
  const read = async (path: string) => (await fetch(`http://127.0.0.1:${asked}/api/${path}`)).json();
  await startPeer(t, 'jaeger', ['--config', join(directory, 'jaeger.yaml')], {
    ready: () => read('services').then(Boolean, () => false),
  });
  return { url: `http://127.0.0.1:${taken}/v1/traces`, read };
}

describe('Jaeger', { skip: missing('jaeger') }, () => {
  it('shows a request with its parts, and takes hostile texts', async (t) => {
    const { url, read } = await jaeger(t);
    const traces = new MemoryTraces();
    const failures: string[] = [];
    const start = await prepareSpanExport({
      url,
      service: 'shop',
      version: '1.2.3',
      onFailure: (reason) => failures.push(reason),
      onRecovery: () => {},
    });
    const spans = start(traces);
    const document = documentOf({ startedAt: new Date().toISOString() });
    traces.keep(document);
    traces.keep({ ...hostileDocument(), traceId: 'f'.repeat(32), startedAt: document.startedAt });
    await spans.stop();
    assert.deepEqual(failures, []);
    let found: readonly JaegerSpan[] = [];
    await eventually('the trace', async () => {
      const { data } = (await read(`traces/${document.traceId}`)) as { data: { spans: JaegerSpan[] }[] | null };
      found = data?.[0]?.spans ?? [];
      return found.length > 0;
    });
    assert.equal(found.length, document.spans.length + 1);
    const root = found.find(({ operationName }) => operationName === 'GET shop') as JaegerSpan;
    assert.deepEqual([root.references, root.duration], [[], 42_000]);
    const tags = Object.fromEntries(root.tags.map(({ key, value }) => [key, value]));
    assert.deepEqual(
      [tags['span.kind'], tags['http.response.status_code'], tags['http.route']],
      ['server', 200, 'shop'],
    );
    const queries = found.filter(({ operationName }) => operationName === 'SELECT');
    const view = found.find(({ operationName }) => operationName === 'view shop.views.books');
    assert.equal(queries.length, 12);
    assert.ok(queries.every(({ references }) => references[0]?.spanID === view?.spanID));
    assert.deepEqual(((await read('services')) as { data: string[] }).data, ['shop']);
    const { data } = (await read(`traces/${'f'.repeat(32)}`)) as { data: { spans: JaegerSpan[] }[] | null };
    assert.equal(data?.[0]?.spans.length, document.spans.length + 1);
  });
});
