import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pageWith } from '../pages.mjs';
import { describe, two } from '../report.mjs';
import { ROOT } from '../stacks/programs.mjs';
import { growthChart } from './chart.mjs';
import { upperHalf } from './fit.mjs';
import { exponentsTable } from './report.mjs';
import { judge } from './summary.mjs';

const COMMAND = 'npm run bench -- growth';

/** The curves of the README, with what the exponents would be at best. */
const CHOSEN = [
  ['connections', 'n^0 is ideal'],
  ['blocks-10k', 'n^1 is as much as the work'],
];

/**
 * The pages and the image that show figures of a complete run, by their paths in the project.
 *
 * @param {Parameters<typeof describe>[0] & { curves: readonly import('./summary.mjs').Measured[] }} results
 * @returns {Map<string, string>}
 */
export function renderGrowthPages(results) {
  const chosen = CHOSEN.map(([id, ideal]) => ({ ideal, curve: results.curves.find((curve) => curve.id === id) }));
  const sentences = chosen.map(sentence).join(' ');
  const image = '![Processor time of a request beside the number of connections and of blocks](docs/growth.svg)';
  return new Map([
    ['docs/growth.svg', growthChart(chosen.map(({ curve }) => curve))],
    ['README.md', pageWith('README.md', COMMAND, `${image}\\\n${sentences}\n`)],
    ['bench/README.md', pageWith('bench/README.md', COMMAND, `${describe(results)}\n\n${exponentsTable(results)}`)],
  ]);
}

/** Writes them. */
export function writeGrowthPages(results) {
  for (const [path, text] of renderGrowthPages(results)) writeFileSync(join(ROOT, path), text);
}

function sentence({ curve, ideal }) {
  const { fits } = judge(curve);
  const [first, last] = [upperHalf(curve.points)[0], curve.points.at(-1)].map(({ n }) => n.toLocaleString('en'));
  const [ours, peer] = curve.stacks
    .map((stack) => fits.get(stack))
    .map((found) => (found ? `n^${two(found.tail)}` : 'nothing known'));
  const range = `From ${first} to ${last} ${curve.axis}, the processor time of a request grows by`;
  return `${range} ${ours} with Viaduct and by ${peer} with ${curve.stacks[1]}; ${ideal}.`;
}
