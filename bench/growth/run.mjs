import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { choose } from '../names.mjs';
import { describe } from '../report.mjs';
import { runScenario } from '../rounds.mjs';
import { circumstances, onThisMachine } from '../setup.mjs';
import { ROOT } from '../stacks/programs.mjs';
import { summarise } from '../summary.mjs';
import { withAttempts } from './attempts.mjs';
import { growthChart } from './chart.mjs';
import { CURVES, everySecond } from './curves.mjs';
import { writeGrowthPages } from './pages.mjs';
import { curvesMarkdown, exponentsTable, faults, textCurve } from './report.mjs';

/**
 * Measures curves, prints them and writes them.
 *
 * @param {ReturnType<typeof import('../options.mjs').readOptions>} options
 * @returns {Promise<number>} the exit code
 */
export async function measureGrowth(options) {
  const curves = choose(CURVES, options.only, 'curve');
  return await onThisMachine(options, async (context) => {
    const stacks = new Set(curves.flatMap((curve) => curve.stacks));
    const results = { ...circumstances(options, context, stacks), curves: [] };
    console.log(`${describe(results)}\n`);
    for (const curve of curves) {
      results.curves.push(await measureCurve(curve, options.quick ? everySecond(curve.points) : curve.points, context));
      console.log(textCurve(results.curves.at(-1)));
    }
    console.log(faults(results));
    const complete = curves.length === CURVES.length && !options.quick;
    writeGrowth(results, join(ROOT, complete ? 'bench/results/growth.json' : 'bench/results/raw/growth-part.json'));
    const ours = results.curves.flatMap(({ points }) => points.map(({ rows }) => rows[0]));
    return ours.every(({ failure }) => failure === undefined) ? 0 : 1;
  });
}

/** As the scenarios: what a complete run found belongs to the project. */
export function writeGrowth(results, path) {
  const whole = path.endsWith('growth.json');
  mkdirSync(dirname(path), { recursive: true });
  for (const [file, text] of renderGrowth(results, path)) writeFileSync(file, text);
  writeFileSync(path, `${JSON.stringify(results, null, 1)}\n`);
  if (whole) writeGrowthPages(results);
  console.log(`Written: ${path}, the same as Markdown and as a chart${whole ? ', and the parts of both READMEs' : ''}`);
}

/**
 * The files that show the figures of a run, by their paths.
 *
 * @param {{ curves: readonly import('./summary.mjs').Measured[] }} results
 * @param {string} path of the JSON beside which they are
 * @returns {Map<string, string>}
 */
export function renderGrowth(results, path) {
  const beside = (extension) => path.replace(/\.json$/, extension);
  return new Map([
    [beside('.md'), `${describe(results)}\n\n${exponentsTable(results)}\n${curvesMarkdown(results)}`],
    [beside('.svg'), growthChart(results.curves)],
  ]);
}

async function measureCurve({ scenarioAt, ...curve }, points, context) {
  const measured = [];
  for (const n of points) {
    const scenario = withAttempts(scenarioAt(n));
    const { rows } = summarise(scenario, await runScenario(scenario, context));
    measured.push({ n, rows });
  }
  return { ...curve, points: measured };
}
