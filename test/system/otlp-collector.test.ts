import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { before, describe, it } from 'node:test';
import { prepareDjangoSite } from '../support/examples.ts';
import { type Lifetime, suiteLifetime } from '../support/lifetime.ts';
import { freePort, missing, type Peer, startPeer } from '../support/peer.ts';
import { NO_PACKAGES, PYTHON_WITH_PACKAGES, startViaduct, type Viaduct } from '../support/viaduct.ts';
import { eventually } from '../support/wait.ts';

/** A span as the collector prints it. */
interface CollectedSpan {
  readonly id: string;
  readonly parent: string;
  readonly trace: string;
  readonly name: string;
  readonly kind: string;
  readonly status: string;
  readonly attributes: Readonly<Record<string, string>>;
}

/** rotel, which decodes what it receives with definitions of OTLP of its own, and prints it. */
async function startCollector(t: Lifetime, prints: 'traces' | 'metrics'): Promise<{ url: string; peer: Peer }> {
  const [http, grpc] = [await freePort(), await freePort()];
  const endpoints = ['--otlp-http-endpoint', `127.0.0.1:${http}`, '--otlp-grpc-endpoint', `127.0.0.1:${grpc}`];
  const debug = ['--debug-log', prints, '--debug-log-verbosity', 'detailed', '--exporter', 'blackhole'];
  const url = `http://127.0.0.1:${http}`;
  const isListening = () => fetch(url).then(Boolean, () => false);
  const peer = await startPeer(t, 'rotel-agent', ['start', ...endpoints, ...debug], { ready: isListening });
  return { url, peer };
}

/** A site of which every request is traced, with one route that has a name. */
async function startSite(t: Lifetime, flags: readonly string[]): Promise<{ viaduct: Viaduct; name: string }> {
  const { directory } = prepareDjangoSite(t, PYTHON_WITH_PACKAGES as string);
  writeFileSync(
    join(directory, 'viaduct.toml'),
    '[trace]\nsample = 1\n\n[[route]]\nname = "regions"\npath = "/regions/*"\napp = "main"\n',
  );
  const env = {
    VIRTUAL_ENV: join(PYTHON_WITH_PACKAGES as string, '../..'),
    OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=test',
  };
  const viaduct = await startViaduct(t, ['serve', directory, '--workers', '1', ...flags], { env });
  return { viaduct, name: basename(directory) };
}

/** What follows the names of a block, one a line: `Parent ID      : 3d09aad5` and `     -> http.route: Str(shop)`. */
function readSpan(text: string): CollectedSpan {
  const value = (name: string): string => new RegExp(`^ *${name} *: (.*)$`, 'm').exec(text)?.[1] ?? '';
  const lines = text.matchAll(/^ +-> ([\w.]+): \w+\(([\s\S]*?)\)$/gm);
  const attributes = Object.fromEntries(Array.from(lines, ([, name, content]) => [name, content]));
  return {
    ...{ id: value('ID'), parent: value('Parent ID'), trace: value('Trace ID'), name: value('Name') },
    ...{ kind: value('Kind'), status: value('Status code'), attributes },
  };
}

describe('a collector of OpenTelemetry', { skip: NO_PACKAGES || missing('rotel-agent') }, () => {
  const suite = suiteLifetime();
  let traces: Peer;
  let metrics: Peer;
  let viaduct: Viaduct;
  let service = '';

  before(async () => {
    const [forTraces, forMetrics] = [await startCollector(suite, 'traces'), await startCollector(suite, 'metrics')];
    const urls = ['--otlp-traces-url', `${forTraces.url}/v1/traces`, '--otlp-url', `${forMetrics.url}/v1/metrics`];
    const site = await startSite(suite, [...urls, '--otlp-interval-ms', '1s']);
    [traces, metrics, viaduct, service] = [forTraces.peer, forMetrics.peer, site.viaduct, site.name];
  });

  it('gets traces of Django as one tree each, by the conventions for HTTP and databases', async () => {
    assert.equal((await fetch(`${viaduct.url}/regions/?page=1&token=hidden`)).status, 200);
    assert.equal((await fetch(`${viaduct.url}/none`)).status, 404);
    await eventually('both traces', () => traces.output().split('SPAN_KIND_SERVER').length === 3);
    await fetch(`${viaduct.url}/regions/?last`);
    await eventually('a trace behind them', () => traces.output().includes('url.query: Str(last)'));
    const [head = '', ...printed] = traces.output().split(/^Span #\d+$/m);
    const blocks = printed.slice(
      0,
      printed.findIndex((block) => block.includes('url.query: Str(last)')),
    );
    assert.match(head, /-> deployment\.environment\.name: Str\(test\)/);
    assert.match(head, new RegExp(`-> service\\.name: Str\\(${service}\\)`));
    assert.match(head, /InstrumentationScope viaduct \d/);
    const spans = blocks.map(readSpan);
    const [regions, none] = spans.filter(({ kind }) => kind === 'SPAN_KIND_SERVER');
    assert.deepEqual([regions?.name, regions?.parent, regions?.status], ['GET regions', '', 'STATUS_CODE_UNSET']);
    assert.deepEqual([none?.name, none?.attributes['http.route']], ['GET', undefined], 'no route has this request');
    const { attributes } = regions as CollectedSpan;
    assert.deepEqual(
      ['http.request.method', 'url.path', 'url.query', 'http.route', 'http.response.status_code', 'server.port'].map(
        (each) => attributes[each],
      ),
      ['GET', '/regions/', 'page=1&token=[redacted]', 'regions', '200', `${viaduct.port}`],
    );
    const byId = new Map(spans.map((span) => [span.id, span]));
    assert.equal(byId.size, spans.length);
    const rootOf = (span: CollectedSpan): CollectedSpan | undefined => {
      const parent = byId.get(span.parent);
      return span.parent === '' ? span : parent?.trace === span.trace ? rootOf(parent) : undefined;
    };
    for (const span of spans) assert.equal(rootOf(span)?.kind, 'SPAN_KIND_SERVER', `${span.name} has no way up`);
    const queries = spans.filter((span) => span.attributes['db.query.text']?.includes('bridges_') === true);
    assert.ok(queries.length > 3, `${queries.length}`);
    for (const { kind, name: operation, attributes: of } of queries)
      assert.deepEqual([kind, operation, of['db.system.name']], ['SPAN_KIND_CLIENT', 'SELECT', 'sqlite']);
    const resolver = spans.find((span) => span.trace === none?.trace && span.attributes['viaduct.kind'] === 'url');
    assert.deepEqual(
      [resolver?.status, resolver?.attributes['error.type']],
      ['STATUS_CODE_ERROR', 'Resolver404'],
      'the type is a class, not a text',
    );
  });

  it('gets metrics', async () => {
    await fetch(`${viaduct.url}/regions/`);
    await eventually('the duration of the request', () =>
      /http\.server\.request\.duration[\s\S]*http\.route: Str\(regions\)/.test(metrics.output()),
    );
    await viaduct.stop();
    assert.doesNotMatch(viaduct.output(), /Cannot send/);
  });
});
