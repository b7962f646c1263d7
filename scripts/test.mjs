/**
 * `npm test`: everything, from a fresh clone. Installs and builds what is missing, then checks format, layers, types and prose, then runs all
 * tests on this Node and those that depend on it once more on Node 26, then the Python tests, then the suites of others. With CI set a missing part is a failure.
 */
import { mkdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { relative } from 'node:path';
import { prepareApplications } from './applications.mjs';
import { prepareConformance, runSuites, SUITES } from './conformance-suites.mjs';
import { checkProse } from './prose.mjs';
import { checkPython } from './python-checks.mjs';
import { runPythonTests } from './python-tests.mjs';
import {
  installSystemParts,
  prepareApiDocs,
  prepareCollector,
  prepareDeployTools,
  prepareGoClient,
  prepareH2spec,
  prepareNewestDjango,
  prepareOldGevent,
  preparePython,
  prepareSecondNode,
} from './setup.mjs';
import { compile, installPackages, lint, ROOT, runTests, SETUP } from './steps.mjs';
import { compiled, needsEachDjango, needsEachNode, testPaths } from './test-files.mjs';

const CI = (process.env.CI ?? '') !== '' && process.env.CI !== 'false';

const SLOWEST_SHOWN = 20;

/** @type {import('./count-reporter.mjs').Counts} */
const NOTHING = { passed: 0, failed: 0, skipped: 0, failures: [], skips: [] };

installPackages();
mkdirSync(SETUP, { recursive: true });
lint();
compile();
installSystemParts();
prepareH2spec();
prepareDeployTools();
prepareGoClient();
prepareApiDocs();
const python = preparePython();
prepareOldGevent();
prepareCollector();
const newestDjango = prepareNewestDjango();
await prepareApplications();
const results = [proseCheck(), pythonChecks(), ...nodeRuns(), pythonRun(), newestDjangoRun(), await conformanceRun()];
report(results);

function pythonChecks() {
  const outcome = checkPython();
  if (outcome === 'skipped') return skippedRun('lint, format and types of Python: the tools could not be installed');
  return outcome ? NOTHING : failedRun('lint, format and types of Python, see above');
}

function proseCheck() {
  return checkProse() ? NOTHING : failedRun('prose, see above');
}

function nodeRuns() {
  const paths = testPaths();
  console.log(`- tests on Node ${process.version}`);
  // One more than there are cores, because many tests wait for time-outs and for processes that start.
  const options = { concurrency: availableParallelism() + 1 };
  const first = runTests(process.execPath, compiled(paths), options);
  if (Number(process.versions.node.split('.')[0]) === 26) return [first];
  const second = prepareSecondNode();
  if (second.path === null) return [first, skippedRun(`all tests on Node 26: ${second.reason}`)];
  console.log('- tests on Node 26');
  return [first, runTests(second.path, compiled(paths.filter(needsEachNode)), options)];
}

function pythonRun() {
  if (python === null) return skippedRun('the Python tests: there is no virtual environment');
  console.log('- tests in Python');
  return runPythonTests(
    python,
    testPaths().filter((path) => path.endsWith('.py')),
  );
}

function newestDjangoRun() {
  if (newestDjango === null)
    return skippedRun('traces with the newest Django: there is no Python 3.12 or later for it');
  console.log('- traces with the newest Django');
  return runPythonTests(newestDjango, testPaths().filter(needsEachDjango));
}

/** Suites of others with this server beneath them. A failure that is explained in `docs/conformance.md` does not count. */
async function conformanceRun() {
  const suites = prepareConformance();
  if (suites === null) return skippedRun('the suites of others: their set-up is missing');
  console.log(`- ${SUITES.map((suite) => suite.title).join(', ')} on this server`);
  const runs = Object.values(await runSuites(suites));
  const failures = runs.flatMap((result) => result.failures);
  const passed = runs.reduce((total, result) => total + result.passed, 0);
  return { ...NOTHING, passed, failed: failures.length, failures };
}

function skippedRun(reason) {
  return { ...NOTHING, skipped: 1, skips: [reason] };
}

function failedRun(reason) {
  return { ...NOTHING, failed: 1, failures: [reason] };
}

/** The slowest files: where to look when the tests take too long. */
function reportSlowest(runs) {
  const files = runs.flatMap(({ seconds = {} }) => Object.entries(seconds));
  const slowest = files.sort(([, a], [, b]) => b - a).slice(0, SLOWEST_SHOWN);
  for (const [file, seconds] of slowest) console.log(`${seconds.toFixed(0).padStart(4)} s ${relative(ROOT, file)}`);
}

/** The last line is the whole result, alone, so that it can be read by machines. */
function report(runs) {
  const sum = (key) => runs.reduce((total, run) => total + run[key], 0);
  const skips = [...new Set(runs.flatMap((run) => run.skips))];
  const failures = runs.flatMap((run) => run.failures);
  reportSlowest(runs);
  for (const name of skips) console.log(`skipped${CI ? ' (a failure, because CI is set)' : ''}: ${name}`);
  for (const name of failures) console.log(`failed: ${name}`);
  const failed = sum('failed') + (CI ? sum('skipped') : 0);
  console.log(`\n${sum('passed')} passed, ${failed} failed, ${CI ? 0 : sum('skipped')} skipped`);
  process.exit(failed === 0 ? 0 : 1);
}
