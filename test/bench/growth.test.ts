import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { ROOT } from '../support/viaduct.ts';

const load = (name: string) => import(pathToFileURL(join(ROOT, 'bench', name)).href);
const { CURVES, everySecond } = await load('growth/curves.mjs');
const { exponent, fit } = await load('growth/fit.mjs');
const { withAttempts } = await load('growth/attempts.mjs');
const { growthChart } = await load('growth/chart.mjs');
const { curvesMarkdown, exponentsTable, faults, textCurve } = await load('growth/report.mjs');
const { renderGrowth } = await load('growth/run.mjs');
const { renderGrowthPages } = await load('growth/pages.mjs');
const { STACKS } = await load('stacks/index.mjs');

const RESULTS = join(ROOT, 'bench/results/growth.json');
const NO_RUN = existsSync(RESULTS) ? false : 'no complete run of the curves is in bench/results';
const POINTS = [1, 4, 16, 64, 256, 1024, 4096];

type Cost = (n: number) => number;

interface Row {
  stack: string;
  samples: { cpuMicros: number }[];
  cpuMicros?: number;
  failure?: string;
  cpuRatio?: { median: number; min: number; max: number };
}

function row(stack: string, cost: number): Row {
  return { stack, cpuMicros: cost, samples: [{ cpuMicros: cost }, { cpuMicros: cost * 1.01 }] };
}

function curve(ours: Cost, peer: Cost, kind = 'environment', id = 'connections') {
  const points = POINTS.map((n) => {
    const ratio = peer(n) / ours(n);
    const beside = { ...row('peer', peer(n)), cpuRatio: { median: ratio, min: ratio, max: ratio } };
    return { n, rows: [row('viaduct', ours(n)), beside] };
  });
  return { id, title: `Curve ${id}`, axis: 'connections', kind, stacks: ['viaduct', 'peer'], points };
}

const costs = (cost: Cost) => POINTS.map((n) => ({ n, cost: cost(n), costs: [cost(n)] }));
const flat: Cost = () => 10;
const near = (actual: number, expected: number) =>
  assert.ok(Math.abs(actual - expected) < 0.005, `${actual} is not ${expected}`);

test('finds the exponent of a power, whatever its factor', () => {
  for (const e of [0, 0.5, 1, 2]) near(exponent(costs((n) => 7 * n ** e)), e);
});

test('finds the slope in the upper half that a constant cost hides in the lower one', () => {
  const { whole, tail } = fit(costs((n) => 500 + n ** 1.5));
  assert.ok(whole < 0.9);
  assert.ok(tail > 1.2);
});

test('the exponents of single rounds enclose that of the medians', () => {
  const points = POINTS.map((n) => ({ n, cost: n, costs: [n ** 0.9, n ** 1.2] }));
  const { tail, low, high } = fit(points);
  for (const [found, expected] of [
    [tail, 1],
    [low, 0.9],
    [high, 1.2],
  ] as const)
    near(found, expected);
});

test('says nothing of a curve with fewer than three points', () => {
  assert.equal(fit(costs(flat).slice(0, 2)), null);
});

test('a fault is what grows faster than the work, and what the peer does is not one', () => {
  const growing: Cost = (n) => 10 + n / 100;
  const curves = [
    curve(flat, growing),
    curve(growing, flat, 'environment', 'routes'),
    curve((n) => n, growing, 'work', 'blocks'),
    curve((n) => n ** 1.1, growing, 'work', 'megabytes'),
  ];
  const text = faults({ curves });
  assert.match(text, /^2 of 4 curves grow faster than the work\n/);
  assert.deepEqual(
    [...text.matchAll(/fault (\w+):/g)].map(([, id]) => id),
    ['routes', 'megabytes'],
  );
  const results = [...exponentsTable({ curves }).matchAll(/\| (no fault|\*\*fault\*\*) \|$/gm)].map(
    ([, result]) => result,
  );
  assert.deepEqual(results, ['no fault', '**fault**', 'no fault', '**fault**']);
});

test('a point at which the peer failed has the reason, and the rest of its curve stays', () => {
  const measured = curve(flat, flat);
  const failed = { stack: 'peer', samples: [], failure: '12 × status' };
  const points = measured.points.with(-1, { n: 4096, rows: [row('viaduct', 10), failed] });
  const partly = { ...measured, points };
  assert.match(textCurve(partly), /4,096 +10 +invalid: 12 × status/);
  assert.match(textCurve(partly), /1,024 +10 +10 +1\.00/);
  assert.match(curvesMarkdown({ curves: [partly] }), /\| 4,096 \| 10 \| invalid: 12 × status \|/);
  assert.match(textCurve(partly), /peer 0\.00, of the upper half 0\.00/);
  assert.equal(dots(growthChart([partly])).filter((kind) => kind === 'peer').length, POINTS.length - 1);
});

test('a curve that could not be measured is not called free of faults', () => {
  const measured = curve(flat, flat);
  const points = measured.points.map(({ n }) => ({
    n,
    rows: [{ stack: 'viaduct', samples: [], failure: 'it ended' }],
  }));
  const none = { ...measured, points };
  assert.match(exponentsTable({ curves: [none] }), /\| unknown \| unknown peer \| .* \| not measured \|/);
  assert.match(growthChart([none]), /Curve connections/);
});

test('draws both lines on logarithmic axes: equal steps for equal factors', () => {
  const svg: string = growthChart([curve((n) => n, flat, 'work')]);
  const [peer = [], ours = []] = [...svg.matchAll(/<polyline class="curve \w+" points="(.*?)"/g)].map(([, path = '']) =>
    path.split(' ').map((point) => Number(point.split(',')[1])),
  );
  const steps = ours.slice(1).map((y, index) => Math.round((ours[index] ?? 0) - y));
  assert.deepEqual([new Set(steps).size, new Set(peer).size], [1, 1]);
  assert.deepEqual(dots(svg).length, 2 * POINTS.length);
  assert.match(svg, /prefers-color-scheme: dark/);
});

test('a quick run measures each second point and always the last one', () => {
  assert.deepEqual(everySecond([1, 4, 16, 64]), [4, 64]);
  assert.deepEqual(everySecond([1, 4, 16, 64, 256]), [1, 16, 256]);
});

test('takes a sample again if other programs had the machine, but not for ever', async () => {
  const taken = async (...shares: number[]) => {
    let times = 0;
    const sample = async () => ({ coreShare: shares[times++], failure: null });
    const { failure } = await withAttempts({ sample }).sample();
    return { times, failure };
  };
  assert.deepEqual(await taken(0.9), { times: 1, failure: null });
  assert.deepEqual(await taken(0.02, 0.5), { times: 2, failure: null });
  const failure = 'it had only 2 % of its core: the machine is busy';
  assert.deepEqual(await taken(0.02, 0.02, 0.02, 0.9), { times: 3, failure });
});

test('each curve has ascending points, a peer that the benchmark knows, and a scenario for each point', () => {
  assert.equal(new Set(CURVES.map(({ id }: { id: string }) => id)).size, CURVES.length);
  for (const { points, stacks, scenarioAt } of CURVES) {
    assert.deepEqual(
      points,
      [...points].sort((a: number, b: number) => a - b),
    );
    assert.deepEqual(
      stacks.filter((name: string) => !(name in STACKS)),
      [],
    );
    for (const n of points) assert.deepEqual(scenarioAt(n).stacks, stacks);
  }
});

test('the files and pages show the figures of the last complete run', { skip: NO_RUN }, () => {
  const results = JSON.parse(readFileSync(RESULTS, 'utf8'));
  const files: [string, string][] = [
    ...renderGrowth(results, 'bench/results/growth.json'),
    ...renderGrowthPages(results),
  ];
  const stale = files.filter(([path, text]) => readFileSync(join(ROOT, path), 'utf8') !== text).map(([path]) => path);
  assert.deepEqual(stale, [], 'run npm run bench -- growth --render bench/results/growth.json');
});

test('the pages show two curves with a sentence for each', () => {
  const machine = { cpu: 'Test', kernel: '6', node: '20', cores: { server: 1, load: 0 }, load: 0 };
  const circumstances = { machine, versions: {}, options: { rounds: 1, seconds: 1 }, missing: [] };
  const curves = [
    curve(flat, flat),
    curve(
      (n) => n,
      (n) => n,
      'work',
      'blocks-10k',
    ),
  ];
  const pages: Map<string, string> = renderGrowthPages({ ...circumstances, curves });
  const readme = pages.get('README.md') ?? '';
  assert.match(
    readme,
    /From 64 to 4,096 connections, .* n\^0\.00 with Viaduct and by n\^0\.00 with peer; n\^0 is ideal\./,
  );
  assert.match(readme, /n\^1\.00 with Viaduct and by n\^1\.00 with peer; n\^1 is as much as the work\./);
  assert.equal(dots(pages.get('docs/growth.svg') ?? '').length, 4 * POINTS.length);
  assert.match(pages.get('bench/README.md') ?? '', /\| Curve connections \| 1–4,096 connections \|/);
});

function dots(svg: string) {
  return [...svg.matchAll(/<circle class="(\w+)"/g)].map(([, kind]) => kind);
}
