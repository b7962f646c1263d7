import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, release, tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { compile } from '../scripts/steps.mjs';
import { chart } from './chart.mjs';
import { chooseCores, pinSelf } from './cores.mjs';
import { readOptions, USAGE } from './options.mjs';
import { writePages } from './pages.mjs';
import { killAll, stopAll } from './processes.mjs';
import { describe, markdownTable, targetsTable, textTable, verdicts } from './report.mjs';
import { runScenario } from './rounds.mjs';
import { besideBefore, chooseScenarios, SCENARIOS } from './scenarios/index.mjs';
import { addBefore, BEFORE, STACKS } from './stacks/index.mjs';
import { findProgram, inspectPackage, ROOT } from './stacks/programs.mjs';
import { summarise } from './summary.mjs';

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}

async function main(argv) {
  const options = readOptions(argv);
  if (options.help) console.log(USAGE);
  else if (options.list) console.log(SCENARIOS.map(({ id, title }) => `${id.padEnd(22)}${title}`).join('\n'));
  else if (options.render !== undefined) write(JSON.parse(readFileSync(options.render, 'utf8')), options.render);
  else return await measure(options);
  return 0;
}

async function measure(options) {
  const { before } = options;
  if (before !== undefined && !existsSync(join(before, 'dist/cli/main.js')))
    throw new Error(`Cannot compare with "${before}": it is not a built checkout. Run npm ci and npm run build there`);
  if (before !== undefined) addBefore(resolve(before));
  const chosen = chooseScenarios(options.only);
  const scenarios = before === undefined ? chosen : besideBefore(chosen, BEFORE);
  if (findProgram('wrk') === null) throw new Error('Cannot make load: wrk is not installed. See bench/README.md');
  if ('missing' in inspectPackage('django'))
    throw new Error('Cannot find .setup/bench-venv with Django: run bench/install-peers.sh');
  compile();
  const cores = chooseCores(options.cores);
  pinSelf(cores.load);
  const directory = mkdtempSync(join(tmpdir(), 'viaduct-bench-'));
  cleanUpWhenInterrupted(directory);
  try {
    const results = begin(options, cores, scenarios);
    console.log(`${describe(results)}\n`);
    const { rounds, seconds } = options;
    const context = {
      cores,
      rounds,
      seconds,
      directory,
      inspections: inspections(),
      tell: (line) => console.log(line),
    };
    for (const scenario of scenarios) {
      results.scenarios.push(summarise(scenario, await runScenario(scenario, context)));
      console.log(textTable(results.scenarios.at(-1)));
    }
    console.log(verdicts(results));
    const complete = scenarios.length === SCENARIOS.length && !options.quick && before === undefined;
    write(results, join(ROOT, complete ? 'bench/results/latest.json' : 'bench/results/raw/partial.json'));
    const invalid = results.scenarios.flatMap(({ rows }) => rows).filter(({ failure }) => failure !== undefined);
    return invalid.length === 0 ? 0 : 1;
  } finally {
    await stopAll();
    rmSync(directory, { recursive: true, force: true });
  }
}

function begin({ rounds, seconds, quick }, cores, scenarios) {
  const found = Object.entries(inspections()).filter(([name]) => scenarios.some(({ stacks }) => stacks.includes(name)));
  const plain = found.filter(([name]) => !name.includes('/'));
  return {
    date: new Date().toISOString().slice(0, 10),
    machine: { cpu: cpus()[0].model, kernel: release(), node: process.versions.node, cores, load: loadavg()[0] },
    options: { rounds, seconds, quick },
    versions: Object.fromEntries(
      plain.flatMap(([name, { version }]) => (version === undefined ? [] : [[name, version]])),
    ),
    missing: found.flatMap(([name, { missing }]) => (missing === undefined ? [] : [[name, missing]])),
    scenarios: [],
  };
}

function inspections() {
  return Object.fromEntries(Object.entries(STACKS).map(([name, stack]) => [name, stack.inspect()]));
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

function cleanUpWhenInterrupted(directory) {
  process.once('exit', killAll);
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ]) {
    process.once(signal, async () => {
      console.log(`${signal}: ending what was started`);
      await stopAll();
      rmSync(directory, { recursive: true, force: true });
      process.exit(code);
    });
  }
}
