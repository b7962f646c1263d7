import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { ROOT } from '../support/viaduct.ts';

/** The benchmark is plain JavaScript outside of the compiled tree. */
const load = (name: string) => import(pathToFileURL(join(ROOT, 'bench', name)).href);
const { summarise } = await load('summary.mjs');
const { chosenTable, describe, markdownTable, targetsTable, textTable, verdicts } = await load('report.mjs');
const { renderPages } = await load('pages.mjs');
const { chart } = await load('chart.mjs');

interface Outcome {
  samples: { value: number; failure: string | null; cpuMicros?: number }[];
  failure?: string;
  skipped?: string;
}

const rates = (...values: number[]): Outcome => ({
  samples: values.map((value) => ({ value, failure: null, cpuMicros: 1e6 / value })),
});

const scenario = {
  id: 'hello-browser',
  title: 'Hello',
  unit: 'requests/s',
  better: 'higher',
  stacks: ['viaduct', 'peer'],
  targets: { peer: 1.5 },
};

function summary(ours: Outcome, peer: Outcome, changes = {}) {
  const outcomes = new Map([
    ['viaduct', ours],
    ['peer', peer],
  ]);
  return summarise({ ...scenario, ...changes }, outcomes);
}

test('forms the ratio in each round and takes the median of the ratios', () => {
  const [, peer] = summary(rates(100, 300, 80), rates(50, 100, 80)).rows;
  assert.deepEqual(peer.ratio, { median: 2, min: 1, max: 3 });
  assert.equal(peer.reached, true);
});

test('encloses the median of many rounds by ranks, which are those of the sign test', () => {
  const rising = (count: number) => rates(...Array.from({ length: count }, (_, index) => index + 1));
  const interval = (count: number) => {
    const { low, high } = summary(rising(count), rates(...Array(count).fill(1))).rows[1].ratio;
    return [low, high];
  };
  assert.deepEqual([5, 6, 10, 20, 25].map(interval), [
    [undefined, undefined],
    [1, 6],
    [2, 9],
    [6, 15],
    [8, 18],
  ]);
  assert.match(textTable(summary(rising(6), rates(1, 1, 1, 1, 1, 1))), /1\.00–6\.00 \(1\.00–6\.00\)/);
});

test('gives requests per second of processor time as ours to theirs', () => {
  const cheap: Outcome = { samples: [{ value: 100, failure: null, cpuMicros: 10 }] };
  const dear: Outcome = { samples: [{ value: 100, failure: null, cpuMicros: 40 }] };
  assert.equal(summary(cheap, dear).rows[1].cpuRatio.median, 4);
});

test('asks for a ratio of at most the target where less is better', () => {
  const lower = { better: 'lower', targets: { peer: 1 } };
  assert.equal(summary(rates(3), rates(4), lower).rows[1].reached, true);
  assert.equal(summary(rates(4), rates(3), lower).rows[1].reached, false);
});

test('a limit of our own value is a lower bound where more is better', () => {
  const limited = (value: number, better: string) => {
    const result = summary(rates(value), rates(1), { better, limit: 0.95, targets: {} });
    return [result.rows[0].reached, /[≥<] 0\.95/.exec(textTable(result))?.[0]];
  };
  assert.deepEqual(limited(0.95, 'higher'), [true, '≥ 0.95']);
  assert.deepEqual(limited(0.94, 'higher'), [false, '≥ 0.95']);
  assert.deepEqual(limited(0.95, 'lower'), [false, '< 0.95']);
  assert.deepEqual(limited(0.94, 'lower'), [true, '< 0.95']);
});

test('compares with nothing when a request failed, and says which', () => {
  const failed: Outcome = { ...rates(100), failure: '3 × status' };
  const peerFailed = summary(rates(100), failed);
  assert.equal(peerFailed.rows[1].ratio, undefined);
  assert.match(textTable(peerFailed), /peer +invalid: 3 × status/);
  const oursFailed = summary(failed, rates(100));
  assert.equal(oursFailed.rows[1].ratio, undefined);
  assert.match(textTable(oursFailed), /viaduct +invalid: 3 × status/);
  assert.doesNotMatch(chart({ scenarios: [oursFailed] }), /<rect/);
  assert.match(
    verdicts({ scenarios: [oursFailed] }),
    /^0 of 1 targets reached\n {2}not measured hello-browser beside peer$/,
  );
});

test('names a peer that is not installed as skipped', () => {
  const result = summary(rates(100), { samples: [], skipped: 'peer is not installed' });
  assert.match(textTable(result), /peer +skipped: peer is not installed/);
});

test('lists the targets that were missed', () => {
  const result = { scenarios: [summary(rates(100), rates(100))] };
  assert.match(
    verdicts(result),
    /^0 of 1 targets reached\n {2}missed hello-browser: 1\.00 × peer \(CPU 1\.00\), target 1\.5$/,
  );
  assert.match(targetsTable(result), /\| Hello \| 1\.00 × peer \| 1\.00–1\.00 \| 1\.00 \| ≥ 1\.5 × \| missed \|/);
});

test('draws bars in proportion to the stacks, relative to ours', () => {
  const svg = chart({ scenarios: [summary(rates(100), rates(25))] });
  const widths = [...svg.matchAll(/<rect class="(\w+)".*?width="([\d.]+)"/g)].map(([, kind, width]) => [
    kind,
    Number(width),
  ]);
  assert.deepEqual(widths, [
    ['ours', 480],
    ['peer', 120],
  ]);
  assert.match(svg, /prefers-color-scheme: dark/);
});

test('chooses rows for people, and says why one has no figures', () => {
  const chosen = [['hello-browser', 'peer']];
  const table = chosenTable({ scenarios: [summary(rates(300), rates(100))] }, chosen);
  assert.match(table, /\| Hello \| requests\/s, more is better \| \*\*3\.00\*\* × peer \| 3\.00–3\.00 \| 3\.00 \|/);
  const skipped = { scenarios: [summary(rates(100), { samples: [], skipped: 'peer is not installed' })] };
  assert.match(chosenTable(skipped, chosen), /\| skipped: peer is not installed \|/);
  assert.throws(() => chosenTable(skipped, [['other', 'peer']]), /Cannot show "other" beside "peer"/);
});

test('the pages and the chart show the figures of the last complete run', () => {
  const results = JSON.parse(readFileSync(join(ROOT, 'bench/results/latest.json'), 'utf8'));
  const files: [string, string][] = [
    ...renderPages(results),
    ['bench/results/latest.md', `${describe(results)}\n\n${targetsTable(results)}\n${markdownTable(results)}`],
    ['docs/benchmark.svg', chart(results)],
  ];
  const stale = files.filter(([path, text]) => readFileSync(join(ROOT, path), 'utf8') !== text).map(([path]) => path);
  assert.deepEqual(stale, [], 'run npm run bench -- --render bench/results/latest.json');
});
