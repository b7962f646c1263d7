import assert from 'node:assert/strict';
import { readdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { defaultSettings } from '../../src/config/settings.ts';
import { Response } from '../../src/http/response.ts';
import type { MetricFamily } from '../../src/metrics/family.ts';
import { discoverProject } from '../../src/project/discover.ts';
import { ApplicationServer } from '../../src/workers/application-server.ts';
import type { ReleaseOptions } from '../../src/workers/release-options.ts';
import { ask } from '../support/http-client.ts';
import { makeProject } from '../support/project.ts';
import { serveHandler } from '../support/serve-handler.ts';
import { NO_PACKAGES, PYTHON_WITH_PACKAGES } from '../support/viaduct.ts';
import { eventually, isRunning } from '../support/wait.ts';

/** A shop that counts. A query runs as code in the worker that gets the request; the answer is the id of its process. */
const SHOP = `
import os, time
from urllib.parse import unquote
from prometheus_client import REGISTRY, Counter, Gauge, Histogram, Summary, generate_latest

imports = Counter("imports", "Imports of this module")
imports.inc()
orders = Counter("orders", "Orders", ["kind"])
seconds = Histogram("wait_seconds", "Time", buckets=(1, 2))
size = Summary("sent_bytes", "Size")
stock = {mode: Gauge(f"stock_{mode}", "Stock", multiprocess_mode=mode) for mode in (
    "all", "liveall", "min", "livemin", "max", "livemax", "sum", "livesum", "mostrecent", "livemostrecent")}
build = Gauge("build", "Build", ["version"], multiprocess_mode="livemax")
build.labels("7").set(1)

held = []
Gauge("held", "Held", multiprocess_mode="livesum").set_function(lambda: len(held))

def app(environ, start_response):
    exec(unquote(environ["QUERY_STRING"]), globals())
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [str(os.getpid()).encode()]
`;

interface Shop {
  readonly application: ApplicationServer;
  readonly project: string;
  readonly log: string[];
  /** Runs Python code in some worker. Returns the id of its process; 0 if the worker died of it. */
  run(code: string): Promise<number>;
  /** Runs code in each worker once, and returns their ids in the order of the code. */
  runInEach(...codes: readonly string[]): Promise<number[]>;
  /** The samples whose family starts with `prefix`, as `name{labels} value`. */
  samples(prefix: string): Promise<string[]>;
}

async function openShop(t: TestContext, options: Partial<ReleaseOptions> = {}, source = SHOP): Promise<Shop> {
  const project = makeProject(t, { 'shop.py': source });
  const settings = defaultSettings();
  const log: string[] = [];
  const add = (text: string): void => void log.push(text);
  const application = new ApplicationServer({
    release: {
      ...{ workers: 2, threads: 1, software: 'viaduct', environVariables: [], applicationMetrics: true },
      ...{ startTimeoutMs: 60_000, workerTimeoutMs: 0, gracefulTimeoutMs: 1000, preload: 'when-safe' },
      listeners: [{ SERVER_NAME: 'localhost', SERVER_PORT: '80', 'wsgi.url_scheme': 'http' }],
      project: await discoverProject({
        ...{ target: 'shop:app', chdir: project, python: PYTHON_WITH_PACKAGES, dev: false, staticMounts: [] },
      }),
      ...options,
    },
    pool: { ...settings, requestId: false },
    responseBufferBytesMax: settings.responseBufferBytesMax,
    errorResponse: (traceback) => Response.text(500, traceback),
    log: { info: add, warn: add, error: add },
  });
  t.after(() => application.destroy());
  await application.start();
  const server = await serveHandler(t, (request) => application.handle(request, () => Response.text(404, '')));
  const run = async (code: string): Promise<number> => {
    const { status, body } = await ask(server.port, `/?${encodeURIComponent(code)}`);
    if (status === 502) return 0;
    assert.equal(status, 200, `${body}`);
    return Number(body);
  };
  return {
    application,
    project,
    log,
    run,
    async runInEach(...codes) {
      // Each one waits until all have come, so that no worker gets two of them.
      const count = `len([name for name in os.listdir() if name.startswith("here-")])`;
      const wait = `open(f"here-{os.getpid()}", "w").close()\nwhile ${count} < ${codes.length}: time.sleep(0.01)\n`;
      return await Promise.all(codes.map((code) => run(`${wait}${code}`)));
    },
    async samples(prefix) {
      const families: readonly MetricFamily[] = await application.metrics();
      return families
        .filter(({ name }) => name.startsWith(prefix))
        .flatMap(({ name, samples }) =>
          samples.map(({ suffix, labels, value }) => {
            const text = Object.entries(labels).map(([label, of]) => `${label}=${of}`);
            return `${name}${suffix}{${text}} ${value}`;
          }),
        );
    },
  };
}

describe('the metrics of an application with prometheus_client', { skip: NO_PACKAGES, concurrency: 2 }, () => {
  it('are sums over all workers, and what a killed worker has counted stays', async (t) => {
    const { application, run, runInEach, samples } = await openShop(t);
    await runInEach('orders.labels("book").inc()', 'orders.labels("book").inc(2)');
    assert.deepEqual(await samples('orders'), ['orders_total{kind=book} 3']);
    const pid = await run('orders.labels("disc").inc(5)');
    process.kill(pid, 'SIGKILL');
    await run('orders.labels("disc").inc(); os.kill(os.getpid(), 9)'); // nobody has read what it counted last
    await eventually('both are replaced', () => {
      const ready = application.workers.filter(({ state }) => state === 'ready');
      return ready.length === 2 && ready.every((worker) => worker.pid !== pid && isRunning(worker.pid));
    });
    await run('orders.labels("book").inc(10)');
    assert.deepEqual(await samples('orders'), ['orders_total{kind=book} 13', 'orders_total{kind=disc} 6']);
  });

  it('count an import once if the workers share it, and otherwise the import of each one', async (t) => {
    const shared = await openShop(t, { preload: 'always' });
    assert.deepEqual(await shared.samples('imports'), ['imports_total{} 1']);
    const own = await openShop(t, { preload: 'never' });
    assert.deepEqual(await own.samples('imports'), ['imports_total{} 2']);
    assert.deepEqual(await own.samples('build'), ['build{version=7} 1']);
    assert.deepEqual(await shared.samples('build'), ['build{version=7} 1']); // set by the import
  });

  it('do not count an import that was tried for the workers and given up', async (t) => {
    const thread = 'import threading\nthreading.Thread(target=threading.Event().wait, daemon=True).start()\n';
    const { samples, log } = await openShop(t, {}, thread + SHOP);
    assert.match(log.join('\n'), /cannot share/);
    assert.deepEqual(await samples('imports'), ['imports_total{} 2']);
  });

  it('follow the mode of each gauge', async (t) => {
    const { application, runInEach, run, samples } = await openShop(t);
    const set = (value: number) => `for gauge in stock.values(): gauge.set(${value})`;
    const [low, high] = await runInEach(set(3), `time.sleep(0.1)\n${set(8)}`);
    assert.deepEqual(
      (await samples('stock')).sort(),
      [
        ...[`stock_all{pid=${low}} 3`, `stock_all{pid=${high}} 8`, `stock_liveall{pid=${low}} 3`],
        ...[`stock_liveall{pid=${high}} 8`, 'stock_livemax{} 8', 'stock_livemin{} 3', 'stock_livemostrecent{} 8'],
        ...['stock_livesum{} 11', 'stock_max{} 8', 'stock_min{} 3', 'stock_mostrecent{} 8', 'stock_sum{} 11'],
      ].sort(),
    );
    process.kill(high ?? assert.fail(), 'SIGKILL');
    await eventually('it is replaced', () => {
      const pids = application.workers.filter(({ state }) => state === 'ready').map(({ pid }) => pid);
      return pids.length === 2 && !pids.includes(high ?? 0);
    });
    const successor = application.workers.find(({ pid }) => pid !== low)?.pid;
    // The successor has taken over the gauges of the import, which has set none of these.
    assert.deepEqual(
      (await samples('stock')).sort(),
      [
        ...[`stock_all{pid=${low}} 3`, `stock_all{pid=${high}} 8`, `stock_all{pid=${successor}} 0`],
        ...[
          `stock_liveall{pid=${low}} 3`,
          `stock_liveall{pid=${successor}} 0`,
          'stock_livemax{} 3',
          'stock_livemin{} 0',
        ],
        ...['stock_livemostrecent{} 3', 'stock_livesum{} 3', 'stock_max{} 8', 'stock_min{} 0', 'stock_mostrecent{} 8'],
        'stock_sum{} 11',
      ].sort(),
    );
    await run('pass');
  });

  it('have histograms and summaries as sums', async (t) => {
    const { runInEach, samples } = await openShop(t);
    const observe = (value: number) => `seconds.observe(${value}); size.observe(${value})`;
    await runInEach(observe(0.5), `${observe(1.5)}; ${observe(9)}`);
    assert.deepEqual(await samples('wait_seconds'), [
      ...['wait_seconds_bucket{le=1.0} 1', 'wait_seconds_bucket{le=2.0} 2', 'wait_seconds_bucket{le=+Inf} 3'],
      ...['wait_seconds_count{} 3', 'wait_seconds_sum{} 11'],
    ]);
    assert.deepEqual(await samples('sent_bytes'), ['sent_bytes_count{} 3', 'sent_bytes_sum{} 11']);
  });

  it('count on over recycling and over a reload with other code', async (t) => {
    const limits = { maxRequests: 5, maxRequestsJitter: 0, maxLifetimeMs: 0, maxRssBytes: 0 };
    const { application, project, run, samples } = await openShop(t, { limits });
    const pids = new Set<number>();
    let count = 0;
    for (; pids.size <= 4 && count < 5000; count += 1) pids.add(await run('orders.labels("book").inc()'));
    assert.ok(pids.size > 4, `${pids.size} workers`);
    assert.deepEqual(await samples('orders'), [`orders_total{kind=book} ${count}`]);
    writeFileSync(join(project, 'shop.py'), SHOP.replace('"Orders"', '"Orders, all of them"'));
    await application.reload();
    await run('orders.labels("book").inc()');
    assert.deepEqual(await samples('orders'), [`orders_total{kind=book} ${count + 1}`]);
    assert.deepEqual(await samples('imports'), ['imports_total{} 2']);
    const help = (await application.metrics()).find(({ name }) => name === 'orders')?.help;
    assert.equal(help, 'Orders, all of them');
  });

  it('have the functions of gauges in each worker, and Info, Enum and own collectors of one worker', async (t) => {
    const more = `
from prometheus_client import Enum, Info
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
Info("shop_build", "Build").info({"version": "7"})
Enum("shop_state", "State", states=["open", "closed"]).state("closed")
class Own:
    def collect(self):
        yield CounterMetricFamily("shop_rows", "Rows", value=12)
        tables = GaugeMetricFamily("shop_tables", "Tables", labels=["name"])
        tables.add_metric(["a b"], float("inf"))
        yield tables
    def describe(self): return []
REGISTRY.register(Own())
class Twice:
    def collect(self): yield GaugeMetricFamily("orders", "Taken", value=1)
    def describe(self): return []
REGISTRY.register(Twice())
class Fails:
    def describe(self): return []
    def collect(self): raise ValueError("no database")
REGISTRY.register(Fails())
`;
    const { runInEach, samples } = await openShop(t, {}, SHOP + more);
    await runInEach('held.append(1); orders.labels("book").inc()', 'held.extend([1, 1])');
    assert.deepEqual(await samples('held'), ['held{} 3']);
    assert.deepEqual(await samples('shop'), [
      ...['shop_build_info{version=7} 1', 'shop_state{shop_state=open} 0', 'shop_state{shop_state=closed} 1'],
      ...['shop_rows_total{} 12', 'shop_tables{name=a b} Infinity'],
    ]);
    assert.deepEqual(await samples('orders'), ['orders_total{kind=book} 1']);
    assert.deepEqual(await samples('process'), []);
  });

  it('come without those of a collector that hangs, and the worker serves on', async (t) => {
    const hangs = `
import threading
class Hangs:
    def describe(self): return []
    def collect(self): threading.Event().wait()
REGISTRY.register(Hangs())
`;
    const { run, samples } = await openShop(t, { workers: 1 }, SHOP + hangs);
    for (let scrape = 0; scrape < 3; scrape += 1) {
      await run('orders.labels("book").inc()');
      assert.deepEqual(await samples('orders'), [`orders_total{kind=book} ${scrape + 1}`]);
    }
  });

  it('are not in the own page of the application, which shows one worker as before', async (t) => {
    const { run, application, samples } = await openShop(t, { workers: 1 });
    await run('orders.labels("book").inc(4)');
    const page = await run('assert b"orders_total{kind=\\"book\\"} 4.0" in generate_latest(REGISTRY)');
    assert.equal(page, application.workers[0]?.pid);
    assert.deepEqual(await samples('orders'), ['orders_total{kind=book} 4']);
  });

  it('survive a worker that spoils its files, and the others are reported', async (t) => {
    const { runInEach, run, samples, log } = await openShop(t);
    const spoil =
      'from viaduct_worker.shared_values import shared\nos.write(shared._series, b"\\xff" * 300000 + b"\\n{}\\n")\nos.pwrite(shared._values, b"\\xff" * 64, 0)';
    await runInEach('orders.labels("book").inc(2)', `orders.labels("book").inc(1)\n${spoil}`);
    const lines = await samples('orders');
    assert.equal(lines.length, 1);
    await samples('orders');
    assert.equal(log.filter((text) => text.includes('are damaged')).length, 1);
    assert.ok((await run('pass')) >= 0);
  });

  it('leave no files behind, with or without a scrape', async (t) => {
    const before = new Set(readdirSync(tmpdir()));
    const { application, samples } = await openShop(t);
    await samples('orders');
    const made = readdirSync(tmpdir()).filter((name) => !before.has(name) && /^viaduct-\w{6}$/.test(name));
    const names = made.flatMap((name) => readdirSync(join(tmpdir(), name)));
    assert.deepEqual(
      names.filter((name) => /series|values/.test(name)),
      [],
    );
    await application.stop();
  });

  it('are not read unless they are wanted, and then the application has nothing of them', async (t) => {
    const { samples, run } = await openShop(t, { applicationMetrics: false });
    await run(
      'import sys; orders.labels("book").inc(); assert type(orders.labels("book")._value).__module__ == "prometheus_client.values"',
    );
    await run('import sys; assert "viaduct_worker.prometheus" not in sys.modules');
    assert.deepEqual(await samples(''), []);
  });
});
