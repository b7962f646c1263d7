/**
 * `npm test`: everything, from a fresh clone. Installs and builds what is missing, then checks format, layers and types, then runs all tests
 * on this Node and once more on Node 24, then the Python tests, then the suites of others. With CI set a missing part is a failure.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { prepareConformance, runSuites, SUITES } from './conformance-suites.mjs';
import { installSystemParts, prepareDeployTools, prepareH2spec, preparePython, prepareSecondNode } from './setup.mjs';
import { compile, installPackages, lint, ROOT, runTests, SETUP, testFiles } from './steps.mjs';

const CI = (process.env.CI ?? '') !== '' && process.env.CI !== 'false';
const PYTHON_TESTS = join(ROOT, 'test/python');

installPackages();
mkdirSync(SETUP, { recursive: true });
lint();
compile();
installSystemParts();
prepareH2spec();
prepareDeployTools();
const python = preparePython();
const results = [...nodeRuns(), pythonRun(), await conformanceRun()];
report(results);

function nodeRuns() {
  const files = testFiles(() => true);
  console.log(`- tests on Node ${process.version}`);
  const first = runTests(process.execPath, files);
  if (Number(process.versions.node.split('.')[0]) === 24) return [first];
  const second = prepareSecondNode();
  if (second.path === null) return [first, skippedRun(`all tests on Node 24: ${second.reason}`)];
  console.log('- tests on Node 24');
  return [first, runTests(second.path, files)];
}

/** The tests written in Python, of what runs in the worker. */
function pythonRun() {
  const has = existsSync(PYTHON_TESTS) && readdirSync(PYTHON_TESTS).some((name) => /^test_.*\.py$/.test(name));
  if (!has) return { passed: 0, failed: 0, skipped: 0, failures: [], skips: [] };
  if (python === null) return skippedRun('the Python tests: there is no virtual environment');
  console.log('- tests in Python');
  const args = ['-m', 'unittest', 'discover', '-s', PYTHON_TESTS, '-t', PYTHON_TESTS];
  const env = { ...process.env, PYTHONPATH: join(ROOT, 'python'), PYTHONDONTWRITEBYTECODE: '1' };
  const { status, stderr } = spawnSync(python, args, { cwd: ROOT, env, encoding: 'utf8', timeout: 600_000 });
  process.stdout.write(stderr ?? '');
  const count = (pattern) => Number(pattern.exec(stderr ?? '')?.[1] ?? 0);
  const skipped = count(/\bskipped=(\d+)/);
  const failed = count(/\bfailures=(\d+)/) + count(/\berrors=(\d+)/) || (status === 0 ? 0 : 1);
  const passed = Math.max(0, count(/^Ran (\d+) tests?/m) - failed - skipped);
  const list = (number, what) => (number === 0 ? [] : [`${number} Python tests ${what}, see above`]);
  return { passed, failed, skipped, failures: list(failed, 'failed'), skips: list(skipped, 'skipped') };
}

/** Suites of others with this server beneath them. A failure that is explained in `docs/conformance.md` does not count. */
async function conformanceRun() {
  const suites = prepareConformance();
  if (suites === null) return skippedRun('the suites of others: their set-up is missing');
  console.log(`- ${SUITES.map((suite) => suite.title).join(', ')} on this server`);
  const runs = Object.values(await runSuites(suites));
  const failures = runs.flatMap((result) => result.failures);
  const passed = runs.reduce((total, result) => total + result.passed, 0);
  return { passed, failed: failures.length, skipped: 0, failures, skips: [] };
}

function skippedRun(reason) {
  return { passed: 0, failed: 0, skipped: 1, failures: [], skips: [reason] };
}

/** The last line is the whole result, alone, so that it can be read by machines. */
function report(runs) {
  const sum = (key) => runs.reduce((total, run) => total + run[key], 0);
  const skips = [...new Set(runs.flatMap((run) => run.skips))];
  const failures = runs.flatMap((run) => run.failures);
  for (const name of skips) console.log(`skipped${CI ? ' (a failure, because CI is set)' : ''}: ${name}`);
  for (const name of failures) console.log(`failed: ${name}`);
  const failed = sum('failed') + (CI ? sum('skipped') : 0);
  console.log(`\n${sum('passed')} passed, ${failed} failed, ${CI ? 0 : sum('skipped')} skipped`);
  process.exit(failed === 0 ? 0 : 1);
}
