import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { type ApplicationFamily, ApplicationMetrics } from '../../../src/workers/metrics/application-metrics.ts';
import { chooseSeed, createRandom } from '../../support/random.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { NO_PACKAGES, PYTHON_WITH_PACKAGES, ROOT } from '../../support/viaduct.ts';

/** A line of a file of descriptions, without the number of the cell. */
type Line = readonly [
  type: string,
  family: string,
  sample: string,
  labels: Readonly<Record<string, string>>,
  help: string,
  mode: string,
];

interface Value {
  readonly line: Line;
  readonly value: number;
  /** When it was set. */
  readonly time?: number;
}

const counter = (name: string, value: number, labels = {}, help = ''): Value => ({
  line: ['counter', name, `${name}_total`, labels, help, ''],
  value,
});
const gauge = (name: string, mode: string, value: number, time?: number): Value => ({
  line: ['gauge', name, name, {}, '', mode],
  value,
  ...(time === undefined ? {} : { time }),
});

/** Makes the files of a process as shared_values.py does. */
function write(path: string, values: readonly Value[]): void {
  const cells = new Float64Array(4 + 2 * values.length);
  const lines = values.map(({ line, value, time = 0 }, index) => {
    const cell = 1 + 2 * index;
    cells[cell] = value;
    cells[cell + 1] = time;
    return `${cell}\t${JSON.stringify(line)}\n`;
  });
  writeFileSync(`${path}.values`, cells);
  writeFileSync(`${path}.series`, lines.join(''));
}

/** The samples of all families, as `name{labels} value`. */
function shown(families: readonly ApplicationFamily[]): string[] {
  return families.flatMap(({ name, samples }) =>
    samples.map(({ suffix, labels, value }) => {
      const text = Object.entries(labels).map(([label, of]) => `${label}=${of}`);
      return `${name}${suffix}{${text}} ${value}`;
    }),
  );
}

interface Site {
  readonly directory: string;
  readonly metrics: ApplicationMetrics;
  readonly warnings: string[];
  /** A process with these values. */
  process(values: readonly Value[], options?: { readonly isZygote?: boolean; readonly pid?: number }): () => void;
}

function makeSite(t: TestContext): Site {
  const directory = temporaryDirectory(t);
  const warnings: string[] = [];
  const metrics = new ApplicationMetrics((text) => warnings.push(text));
  t.after(() => metrics.close());
  let processes = 0;
  return {
    directory,
    metrics,
    warnings,
    process(values, { isZygote = false, pid = 100 + processes } = {}) {
      processes += 1;
      const name = `worker-${processes}`;
      write(join(directory, name), values);
      const files = metrics.expect(directory, name, isZygote, () => pid);
      return () => metrics.end(files);
    },
  };
}

describe('the metrics of an application', () => {
  it('do not exist while no process has any', async (t) => {
    const { metrics, directory } = makeSite(t);
    const files = metrics.expect(directory, 'worker-1', false, () => 7);
    assert.deepEqual(await metrics.read(), []);
    write(join(directory, 'worker-1'), [counter('late', 1)]);
    assert.deepEqual(shown(await metrics.read()), ['late_total{} 1']);
    metrics.end(files);
    assert.deepEqual(shown(await metrics.read()), ['late_total{} 1']);
  });

  it('leave no files behind', async (t) => {
    const { metrics, directory, process } = makeSite(t);
    const end = process([counter('orders', 1)]);
    await metrics.read();
    assert.deepEqual(readdirSync(directory), []);
    process([counter('orders', 1)]);
    end();
    metrics.close();
    assert.deepEqual(readdirSync(directory), []);
  });

  it('keep what ended processes have counted, also while nobody reads', async (t) => {
    const { metrics, process } = makeSite(t);
    for (let round = 0; round < 100; round += 1) process([counter('orders', 1)])();
    process([counter('orders', 5)]);
    assert.deepEqual(shown(await metrics.read()), ['orders_total{} 105']);
    assert.deepEqual(shown(await metrics.read()), ['orders_total{} 105']);
  });

  it('count what the zygote has counted, and leave its gauges to the workers that have taken them over', async (t) => {
    const { metrics, process } = makeSite(t);
    process([counter('imports', 1), gauge('level', 'sum', 7)], { isZygote: true });
    process([counter('imports', 0), gauge('level', 'sum', 7)]);
    assert.deepEqual(shown(await metrics.read()), ['imports_total{} 1', 'level{} 7']);
  });

  it('forget the gauges of ended processes if their mode says so', async (t) => {
    const { metrics, process } = makeSite(t);
    const modes = ['all', 'min', 'max', 'sum', 'mostrecent'];
    const values = (value: number, time: number) =>
      modes.flatMap((mode) => [gauge(mode, mode, value, time), gauge(`live${mode}`, `live${mode}`, value, time)]);
    const end = process(values(9, 3));
    process(values(5, 2));
    await metrics.read();
    end();
    assert.deepEqual(shown(await metrics.read()), [
      ...['all{pid=100} 9', 'all{pid=101} 5', 'liveall{pid=101} 5', 'livemax{} 5', 'livemin{} 5'],
      ...['livemostrecent{} 5', 'livesum{} 5', 'max{} 9', 'min{} 5', 'mostrecent{} 9', 'sum{} 14'],
    ]);
  });

  it('show the last ten ended processes of a gauge that shows each process, and an id once', async (t) => {
    const { metrics, process } = makeSite(t);
    for (let round = 0; round < 30; round += 1) process([gauge('level', 'all', round)], { pid: 200 + round })();
    const pids = shown(await metrics.read()).map((line) => /pid=(\d+)/.exec(line)?.[1]);
    assert.deepEqual(
      pids,
      Array.from({ length: 10 }, (_, index) => `${220 + index}`),
    );
    process([gauge('level', 'all', 77)], { pid: 225 });
    const lines = shown(await metrics.read());
    assert.deepEqual([lines.length, lines.at(-1)], [10, 'level{pid=225} 77']);
  });

  it('have no series that the application has removed', async (t) => {
    const { metrics, process, directory } = makeSite(t);
    process([gauge('level', 'sum', 1), gauge('other', 'sum', 2)]);
    const cells = new BigUint64Array(8);
    cells[1] = 0x7ff8_5649_4144_5543n;
    writeFileSync(join(directory, 'worker-1.values'), cells);
    assert.deepEqual(shown(await metrics.read()), ['other{} 0']);
  });

  it('are those of the newest running process if releases declare them in different ways', async (t) => {
    const { metrics, process } = makeSite(t);
    const endOld = process([counter('orders', 3, {}, 'Old')]);
    const endNew = process([gauge('orders', 'sum', 8)]);
    assert.deepEqual(shown(await metrics.read()), ['orders{} 8']);
    endNew(); // the release has failed
    assert.deepEqual(shown(await metrics.read()), ['orders_total{} 3']);
    process([gauge('orders', 'sum', 4)]);
    endOld();
    assert.deepEqual(shown(await metrics.read()), ['orders{} 12']);
  });

  it('count on if a release changes the help or the order of labels, and show the new help', async (t) => {
    const { metrics, process } = makeSite(t);
    process([counter('orders', 3, { a: '1', b: '2' }, 'Old')])();
    process([counter('orders', 4, { b: '2', a: '1' }, 'New')]);
    const families = await metrics.read();
    assert.deepEqual(shown(families), ['orders_total{a=1,b=2} 7']);
    assert.equal(families[0]?.help, 'New');
  });

  it('have no sum in a histogram with negative buckets', async (t) => {
    const { metrics, process } = makeSite(t);
    const bucket = (le: string, value: number): Value => ({
      line: ['histogram', 'change', 'change_bucket', { le }, '', ''],
      value,
    });
    process([
      { line: ['histogram', 'change', 'change_sum', {}, '', ''], value: -3 },
      ...[bucket('-1.0', 2), bucket('+Inf', 3), bucket('1.0', 1)],
    ]);
    assert.deepEqual(shown(await metrics.read()), [
      ...['change_bucket{le=-1.0} 2', 'change_bucket{le=1.0} 3', 'change_bucket{le=+Inf} 6', 'change_count{} 6'],
    ]);
  });

  it('have names that every reader of metrics knows', async (t) => {
    const { metrics, process } = makeSite(t);
    process([counter('shop.orders-new', 1, { 'where.from': 'x' }), counter('7days', 2)]);
    assert.deepEqual(shown(await metrics.read()), ['_7days_total{} 2', 'shop_orders_new_total{where_from=x} 1']);
  });

  it('are read once more for all who ask during a reading', async (t) => {
    const { metrics, process } = makeSite(t);
    process([counter('orders', 1)]);
    const first = metrics.read();
    process([counter('orders', 1)]);
    const [second, third] = await Promise.all([metrics.read(), metrics.read()]);
    assert.equal(second, third);
    assert.deepEqual([shown(await first), shown(second)], [['orders_total{} 1'], ['orders_total{} 2']]);
  });

  it('keep their labels as the same objects, from which a writer may remember its text', async (t) => {
    const { metrics, process } = makeSite(t);
    process([counter('orders', 1, { a: '1' }), gauge('level', 'all', 1)]);
    const [first, second] = [await metrics.read(), await metrics.read()];
    const labels = (families: readonly ApplicationFamily[]) =>
      families.flatMap(({ samples }) => samples.map((one) => one.labels));
    labels(first).forEach((one, index) => void assert.equal(one, labels(second)[index]));
  });
});

describe('the metrics of a process that writes anything', () => {
  const good = `1\t${JSON.stringify(counter('good', 1).line)}\n`;

  for (const [what, bad] of [
    ['no JSON', '2\tnonsense\n'],
    ['no cell', `x\t${JSON.stringify(counter('bad', 1).line)}\n`],
    ['a negative cell', `-4\t${JSON.stringify(counter('bad', 1).line)}\n`],
    ['a cell far away', `99999999\t${JSON.stringify(counter('bad', 1).line)}\n`],
    ['a type that does not exist', '2\t["stateset","a","a",{},"",""]\n'],
    ['a mode that does not exist', '2\t["gauge","a","a",{},"","constructor"]\n'],
    ['a sample of another metric', '2\t["counter","a","b_total",{},"",""]\n'],
    ['labels that are no texts', '2\t["counter","a","a_total",{"x":[]},"",""]\n'],
    ['a reserved label', '2\t["counter","a","a_total",{"__name__":"b"},"",""]\n'],
    ['a bucket without a bound', '2\t["histogram","a","a_bucket",{},"",""]\n'],
    ['bytes that are no text', '\xff\xfe\0\n'],
    ['half a line', `2\t["counter","a"\n3\t${JSON.stringify(counter('behind', 1).line)}\n`],
  ] as const)
    it(`are the rest, and the log says so once, with ${what}`, async (t) => {
      const { metrics, directory, warnings } = makeSite(t);
      writeFileSync(join(directory, 'worker-1.series'), Buffer.from(`${good}${bad}${good}`, 'latin1'));
      writeFileSync(join(directory, 'worker-1.values'), Float64Array.from([0, 2, 0, 0, 0]));
      metrics.expect(directory, 'worker-1', false, () => 7);
      await metrics.read();
      const lines = shown(await metrics.read());
      assert.ok(lines.includes('good_total{} 4'), `${lines}`);
      assert.deepEqual(warnings, ['Some metrics of process 7 are damaged and not reported']);
    });

  it('end at a line without an end', async (t) => {
    const { metrics, directory, warnings } = makeSite(t);
    writeFileSync(join(directory, 'worker-1.series'), good + 'x'.repeat(400_000));
    writeFileSync(join(directory, 'worker-1.values'), Float64Array.from([0, 2]));
    metrics.expect(directory, 'worker-1', false, () => 7);
    assert.deepEqual(shown(await metrics.read()), ['good_total{} 2']);
    assert.deepEqual(shown(await metrics.read()), ['good_total{} 2']);
    assert.equal(warnings.length, 1);
  });

  it('wait for the end of a line that is being written', async (t) => {
    const { metrics, directory, warnings } = makeSite(t);
    writeFileSync(join(directory, 'worker-1.values'), Float64Array.from([0, 2, 3, 0]));
    const line = `2\t${JSON.stringify(counter('next', 1).line)}\n`;
    const path = join(directory, 'series');
    writeFileSync(path, good + line.slice(0, 9));
    execFileSync('ln', [path, join(directory, 'worker-1.series')]); // the other name is removed
    metrics.expect(directory, 'worker-1', false, () => 7);
    assert.deepEqual(shown(await metrics.read()), ['good_total{} 2']);
    writeFileSync(path, good + line);
    assert.deepEqual(shown(await metrics.read()), ['good_total{} 2', 'next_total{} 3']);
    assert.deepEqual(warnings, []);
  });

  it('are zero or the last ones when the values are cut off', async (t) => {
    const { metrics, directory } = makeSite(t);
    writeFileSync(join(directory, 'values'), Float64Array.from([0, 2]));
    execFileSync('ln', [join(directory, 'values'), join(directory, 'worker-1.values')]);
    writeFileSync(join(directory, 'worker-1.series'), good);
    metrics.expect(directory, 'worker-1', false, () => 7);
    assert.deepEqual(shown(await metrics.read()), ['good_total{} 2']);
    truncateSync(join(directory, 'values'), 0);
    assert.deepEqual(shown(await metrics.read()), ['good_total{} 2']);
  });

  it('are not looked for in pipes, links and directories', async (t) => {
    for (const make of [
      (path: string) => execFileSync('mkfifo', [path]),
      (path: string) => symlinkSync('/etc/passwd', path),
      (path: string) => mkdirSync(path),
    ]) {
      const { metrics, directory } = makeSite(t);
      make(join(directory, 'worker-1.series'));
      make(join(directory, 'worker-1.values'));
      const files = metrics.expect(directory, 'worker-1', false, () => 7);
      assert.deepEqual(await metrics.read(), []);
      metrics.end(files);
    }
  });

  it('are whatever garbage says, without an end of the server process', async (t) => {
    const seed = chooseSeed();
    t.diagnostic(`VIADUCT_TEST_SEED=${seed}`);
    const random = createRandom(seed);
    const whole = Buffer.from([0, 1, 2, 3].map((index) => `${index}${good.slice(1)}`).join(''));
    for (let round = 0; round < 200; round += 1) {
      const { metrics, directory } = makeSite(t);
      const bytes = Buffer.from(whole);
      for (let flips = random() * 8; flips > 0; flips -= 1) bytes[Math.floor(random() * bytes.length)] = random() * 256;
      writeFileSync(join(directory, 'worker-1.series'), bytes.subarray(0, random() * bytes.length));
      writeFileSync(join(directory, 'worker-1.values'), bytes.subarray(0, random() * bytes.length));
      const files = metrics.expect(directory, 'worker-1', false, () => 7);
      await metrics.read();
      metrics.end(files);
      await metrics.read();
    }
  });

  it('have a limit when their labels have none', async (t) => {
    const { metrics, directory, warnings } = makeSite(t);
    for (let process = 0; process < 3; process += 1) {
      const lines = Array.from({ length: 60_000 }, (_, index) => {
        const line = counter('user', 1, { id: `${process}-${index}` }).line;
        return `${index + 1}\t${JSON.stringify(line)}\n`;
      });
      writeFileSync(join(directory, `worker-${process}.series`), lines.join(''));
      writeFileSync(join(directory, `worker-${process}.values`), new Float64Array(60_001).fill(1));
      metrics.end(metrics.expect(directory, `worker-${process}`, false, () => 100 + process));
      await metrics.read();
    }
    const [family] = await metrics.read();
    assert.equal(family?.samples.length, 131_072);
    assert.deepEqual(warnings, ["Some of the application's metrics are missing: they have too many different labels"]);
  });
});

describe('merging', { skip: NO_PACKAGES }, () => {
  it('gives what the MultiProcessCollector of prometheus_client gives', async (t) => {
    const start = process.env.VIADUCT_TEST_SEED === undefined ? chooseSeed() % 1_000_000 : chooseSeed();
    for (let seed = start; seed < start + 5; seed += 1) {
      t.diagnostic(`VIADUCT_TEST_SEED=${seed}`);
      const oracle = countAtRandom('oracle', seed, temporaryDirectory(t));
      const directory = temporaryDirectory(t);
      const { pids, ended } = countAtRandom('shared', seed, directory);
      const metrics = new ApplicationMetrics((text) => assert.fail(text));
      t.after(() => metrics.close());
      const files = pids.map((_, index) => metrics.expect(directory, `worker-${index}`, false, () => index));
      if (seed % 2 === 0) await metrics.read();
      for (const index of ended) metrics.end(files[index] ?? assert.fail());
      const expected = oracle.families.flatMap(([name, type, help, samples]) =>
        samples.map(([sample, labels, value]) =>
          textOf(name, type, help, sample, labels, Number(value.replace('inf', 'Infinity'))),
        ),
      );
      const actual = (await metrics.read()).flatMap(({ name, type, help, samples }) =>
        samples.map(({ suffix, labels, value }) => textOf(name, type, help, name + suffix, labels, value)),
      );
      assert.deepEqual(actual.sort(), expected.sort());
    }
  });
});

interface Counted {
  readonly pids: readonly number[];
  readonly ended: readonly number[];
  readonly families: readonly (readonly [
    name: string,
    type: string,
    help: string,
    samples: readonly (readonly [name: string, labels: Readonly<Record<string, string>>, value: string])[],
  ])[];
}

function countAtRandom(how: 'oracle' | 'shared', seed: number, directory: string): Counted {
  const script = join(ROOT, 'test/support/counting_processes.py');
  const env = { ...process.env, PYTHONPATH: join(ROOT, 'python') };
  const { stdout, stderr, status } = spawnSync(PYTHON_WITH_PACKAGES ?? 'python3', [script, how, `${seed}`, directory], {
    encoding: 'utf8',
    env,
  });
  assert.equal(status, 0, stderr);
  return JSON.parse(stdout) as Counted;
}

function textOf(...parts: readonly [string, string, string, string, Readonly<Record<string, string>>, number]): string {
  const [name, type, help, sample, labels, value] = parts;
  const sorted = Object.entries(labels).map(([label, text]) => [label, `${text}`]);
  return JSON.stringify([name, type, help, sample, sorted.sort(), value === Number.POSITIVE_INFINITY ? '+Inf' : value]);
}
