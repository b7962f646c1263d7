import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { parse } from 'yaml';
import { ask, Pipeline } from '../support/http-client.ts';
import { freePort, missing, startPeer } from '../support/peer.ts';
import { makeProject, WSGI_APP } from '../support/project.ts';
import { ROOT, startViaduct } from '../support/viaduct.ts';
import { eventually } from '../support/wait.ts';

const RULES = join(ROOT, 'deploy/prometheus/viaduct.rules.yml');
const DASHBOARD = join(ROOT, 'deploy/grafana/viaduct.json');
const skip = missing('prometheus', 'promtool');

interface Panel {
  readonly title: string;
  readonly targets?: readonly { readonly expr: string }[];
}

/** The queries of the dashboard as Grafana sends them. */
function dashboardQueries(): string[] {
  const { panels, annotations } = JSON.parse(readFileSync(DASHBOARD, 'utf8')) as {
    readonly panels: readonly Panel[];
    readonly annotations: { readonly list: readonly { readonly expr: string }[] };
  };
  const targets = [...panels.flatMap(({ targets = [] }) => targets), ...annotations.list];
  return targets.map(({ expr }) => expr.replaceAll('$__rate_interval', '5m').replaceAll(/\$(?:job|instance)/g, '.*'));
}

function ruleQueries(): string[] {
  const { groups } = parse(readFileSync(RULES, 'utf8')) as {
    readonly groups: readonly { readonly rules: readonly { readonly expr: string }[] }[];
  };
  return groups.flatMap(({ rules }) => rules.map(({ expr }) => expr));
}

interface Prometheus {
  /** The result of a query now. */
  query(
    text: string,
  ): Promise<readonly { readonly metric: Record<string, string>; readonly value: readonly [number, string] }[]>;
  url(path: string): string;
}

/** A real Prometheus that scrapes `target` once a second. */
async function prometheus(t: TestContext, target: string, flags: readonly string[] = []): Promise<Prometheus> {
  const directory = makeProject(t, {
    'prometheus.yml': `
global: { scrape_interval: 1s, evaluation_interval: 1s }
rule_files: ["${RULES}"]
scrape_configs:
  - job_name: viaduct
    static_configs: [{ targets: ["${target}"] }]
`,
  });
  const port = await freePort();
  const url = (path: string): string => `http://127.0.0.1:${port}/api/v1/${path}`;
  const isReady = (): Promise<boolean> =>
    fetch(`http://127.0.0.1:${port}/-/ready`).then(
      ({ status }) => status === 200,
      () => false,
    );
  const data = join(directory, 'data');
  await startPeer(
    t,
    'prometheus',
    ['--config.file=prometheus.yml', `--storage.tsdb.path=${data}`, `--web.listen-address=127.0.0.1:${port}`, ...flags],
    { cwd: directory, ready: isReady },
  );
  return {
    url,
    async query(text) {
      const response = await fetch(url(`query?query=${encodeURIComponent(text)}`));
      const {
        status,
        data: found,
        error,
      } = (await response.json()) as {
        status: string;
        error?: string;
        data: { result: Awaited<ReturnType<Prometheus['query']>> };
      };
      assert.equal(status, 'success', `${text}: ${error}`);
      return found.result;
    },
  };
}

describe('a real Prometheus', { skip, concurrency: 2 }, () => {
  it('scrapes the metrics, and answers the queries of the dashboard and of the rules', async (t) => {
    const port = await freePort();
    const admin = `127.0.0.1:${port}`;
    const server = await startViaduct(t, ['app:application', '--workers', '1', '--admin', admin], {
      cwd: makeProject(t, { 'app.py': WSGI_APP }),
    });
    const { query, url } = await prometheus(t, admin);
    const client = await Pipeline.open(server.port);
    await client.get(...Array.from({ length: 10 }, () => '/'));
    const count = 'sum(http_server_request_duration_seconds_count{job="viaduct"})';
    await eventually('Prometheus has the requests', async () => (await query(count))[0]?.value[1] === '10');
    await client.get('/');
    await eventually('and the next one', async () => (await query(count))[0]?.value[1] === '11');
    client.close();
    assert.equal((await query('up'))[0]?.value[1], '1');
    assert.equal((await query('viaduct_build_info')).length, 1);
    for (const text of [...dashboardQueries(), ...ruleQueries()]) await query(text);
    const metadata = (await (await fetch(url('metadata'))).json()) as {
      data: Record<string, readonly { readonly type: string; readonly unit: string }[]>;
    };
    const [duration] = metadata.data.http_server_request_duration_seconds ?? [];
    assert.deepEqual([duration?.type, duration?.unit], ['histogram', 'seconds']);
    const known = new Set(
      ((await (await fetch(url('label/__name__/values'))).json()) as { data: readonly string[] }).data,
    );
    const named = [...dashboardQueries(), ...ruleQueries()].flatMap(
      (text) => text.match(/\b(?:viaduct|http_server|nodejs|process)_\w+/g) ?? [],
    );
    const absent = [...new Set(named)].filter((name) => !known.has(name) && !/_backend_|_certificate_/.test(name));
    assert.deepEqual(absent, [], 'the dashboard and the rules name only metrics that there are');
  });

  it('gets native histograms', async (t) => {
    const admin = `127.0.0.1:${await freePort()}`;
    const server = await startViaduct(t, ['app:application', '--workers', '1', '--admin', admin], {
      cwd: makeProject(t, { 'app.py': WSGI_APP }),
    });
    const { query } = await prometheus(t, admin, ['--enable-feature=native-histograms']);
    const client = await Pipeline.open(server.port);
    await client.get(...Array.from({ length: 20 }, () => '/'));
    client.close();
    const count = 'sum(histogram_count(http_server_request_duration_seconds))';
    await eventually('Prometheus has the requests', async () => (await query(count))[0]?.value[1] === '20');
    const [average] = await query(
      'histogram_sum(http_server_request_duration_seconds) / histogram_count(http_server_request_duration_seconds)',
    );
    const [low] = await query('histogram_quantile(0.0, http_server_request_duration_seconds)');
    const [high] = await query('histogram_quantile(1.0, http_server_request_duration_seconds)');
    assert.ok(Number(low?.value[1]) > 0);
    assert.ok(Number(average?.value[1]) >= Number(low?.value[1]) / 1.1);
    assert.ok(Number(average?.value[1]) <= Number(high?.value[1]) * 1.1);
    assert.ok((await query('viaduct_connections_accepted_total')).length > 0, 'and everything else');
  });
});

describe('promtool', { skip: missing('promtool') }, () => {
  it('finds nothing wrong in the metrics', async (t) => {
    const cwd = makeProject(t, { 'app.py': WSGI_APP });
    const admin = join(cwd, 'admin.sock');
    const args = ['app:application', '--workers', '1', '--processes', '2', '--admin', `unix:${admin}`];
    const server = await startViaduct(t, args, { cwd });
    await ask(server.port, '/');
    const { body } = await ask(admin, '/metrics');
    const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], { input: body, encoding: 'utf8' });
    assert.deepEqual([status, stdout, stderr], [0, '', '']);
  });

  it('finds nothing wrong in the rules, and their tests pass', (t) => {
    const check = spawnSync('promtool', ['check', 'rules', RULES], { encoding: 'utf8' });
    assert.equal(check.status, 0, check.stdout + check.stderr);
    const tests = join(ROOT, 'deploy/prometheus/viaduct.rules.test.yml');
    const test = spawnSync('promtool', ['test', 'rules', tests], { encoding: 'utf8' });
    assert.equal(test.status, 0, test.stdout + test.stderr);
    const directory = makeProject(t, { 'viaduct.rules.test.yml': readFileSync(tests, 'utf8') });
    const loose = readFileSync(RULES, 'utf8').replace(
      '(viaduct_queue_oldest_seconds) > 1',
      '(viaduct_queue_oldest_seconds) > 9',
    );
    writeFileSync(join(directory, 'viaduct.rules.yml'), loose);
    const wrong = spawnSync('promtool', ['test', 'rules', 'viaduct.rules.test.yml'], { cwd: directory });
    assert.notEqual(wrong.status, 0, 'the tests notice a changed rule');
  });
});
