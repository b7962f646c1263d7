import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { chart } from './chart.mjs';
import { CURVES } from './growth/curves.mjs';
import { measureGrowth, writeGrowth } from './growth/run.mjs';
import { list } from './names.mjs';
import { readOptions, USAGE } from './options.mjs';
import { writePages } from './pages.mjs';
import { describe, markdownTable, targetsTable, textTable, verdicts } from './report.mjs';
import { runScenario } from './rounds.mjs';
import { besideBefore, chooseScenarios, SCENARIOS } from './scenarios/index.mjs';
import { circumstances, onThisMachine } from './setup.mjs';
import { addBefore, BEFORE } from './stacks/index.mjs';
import { ROOT } from './stacks/programs.mjs';
import { summarise } from './summary.mjs';

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}

async function main(argv) {
  const options = readOptions(argv);
  const { growth, render } = options;
  if (options.help) console.log(USAGE);
  else if (options.list) console.log(list(growth ? CURVES : SCENARIOS));
  else if (render !== undefined) (growth ? writeGrowth : write)(JSON.parse(readFileSync(render, 'utf8')), render);
  else return growth ? await measureGrowth(options) : await measure(options);
  return 0;
}

async function measure(options) {
  const { before } = options;
  if (before !== undefined && !existsSync(join(before, 'dist/cli/main.js')))
    throw new Error(`Cannot compare with "${before}": it is not a built checkout. Run npm ci and npm run build there`);
  if (before !== undefined) addBefore(resolve(before));
  const chosen = chooseScenarios(options.only);
  const scenarios = before === undefined ? chosen : besideBefore(chosen, BEFORE);
  return await onThisMachine(options, async (context) => {
    const stacks = new Set(scenarios.flatMap((scenario) => scenario.stacks));
    const results = { ...circumstances(options, context, stacks), scenarios: [] };
    console.log(`${describe(results)}\n`);
    for (const scenario of scenarios) {
      results.scenarios.push(summarise(scenario, await runScenario(scenario, context)));
      console.log(textTable(results.scenarios.at(-1)));
    }
    console.log(verdicts(results));
    const complete = scenarios.length === SCENARIOS.length && !options.quick && before === undefined;
    write(results, join(ROOT, complete ? 'bench/results/latest.json' : 'bench/results/raw/partial.json'));
    const invalid = results.scenarios.flatMap(({ rows }) => rows).filter(({ failure }) => failure !== undefined);
    return invalid.length === 0 ? 0 : 1;
  });
}

/** The figures of a complete run belong to the project, and so do the pages and the chart that show them. Those of a part do not. */
function write(results, path) {
  const whole = path.endsWith('latest.json');
  const image = whole ? join(ROOT, 'docs/benchmark.svg') : path.replace(/\.json$/, '.svg');
  for (const file of [path, image]) mkdirSync(dirname(file), { recursive: true });
  writeFileSync(path, `${JSON.stringify(results, null, 1)}\n`);
  writeFileSync(
    path.replace(/\.json$/, '.md'),
    `${describe(results)}\n\n${targetsTable(results)}\n${markdownTable(results)}`,
  );
  writeFileSync(image, chart(results));
  if (whole) writePages(results);
  console.log(`Written: ${path}, the same as Markdown, ${image}${whole ? ', and the tables of both READMEs' : ''}`);
}
