import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, run, SETUP } from './steps.mjs';
import { prepareVenv } from './venv.mjs';

const HERE = join(ROOT, 'test/conformance');
const PLACE = join(SETUP, 'conformance');
/** No suite takes a minute. One that hangs must not hold up everything. */
const SUITE_MS = 240_000;

/** Other versions of Python skip a few tests more; when less than this part of what was recorded passes, the server is not asked any more. */
const ENOUGH = 0.98;

/** @typedef {{ name: string, title: string, version: string, what: string, runner: 'django' | 'pytest', tests: string[] }} Suite */
/** @type {readonly Suite[]} */
export const SUITES = JSON.parse(readFileSync(join(HERE, 'suites.json'), 'utf8'));

/** By suite: how many passed, and which fail for which of `reasons`. */
export const EXPECTED_PATH = join(HERE, 'expected.json');

/**
 * Prepares `.setup/conformance`: a virtual environment of its own, and the source archives that hold the suites' tests.
 *
 * @returns {string | null} the environment's interpreter; null, after printing the reason, if something could not be installed
 */
export function prepareConformance() {
  const python = prepareVenv(join(PLACE, 'venv'), join(HERE, 'requirements.txt'));
  if (python === null) return null;
  return SUITES.every((suite) => existsSync(sourceOf(suite)) || bringSource(python, suite)) ? python : null;
}

/**
 * Runs all suites, two at a time.
 *
 * @param {string} python
 * @returns {Promise<Record<string, Result>>} by the suite's name
 */
export async function runSuites(python) {
  const waiting = [...SUITES];
  const results = {};
  const work = async () => {
    for (let suite = waiting.shift(); suite !== undefined; suite = waiting.shift()) {
      results[suite.name] = await runSuite(python, suite);
    }
  };
  await Promise.all([work(), work()]);
  return results;
}

/**
 * @typedef {object} Result
 * @property {number} ran tests that asked the server
 * @property {number} passed
 * @property {number} failed of these, those whose failure `expected.json` explains
 * @property {number} skipped by the suite itself, after it had asked the server
 * @property {Record<string, string>} failing what each failing test said
 * @property {string[]} failures sentences: what is not as it was recorded
 * @property {number} seconds
 */
async function runSuite(python, suite) {
  const result = join(PLACE, `${suite.name}.json`);
  rmSync(result, { force: true });
  const started = Date.now();
  const output = await outputOf(python, suite, result);
  const seconds = (Date.now() - started) / 1000;
  if (!existsSync(result)) {
    const failures = [`${suite.title}: the suite did not finish\n${output.slice(-4000)}`];
    return { ran: 0, passed: 0, failed: 0, skipped: 0, failing: {}, failures, seconds };
  }
  const tests = Object.entries(JSON.parse(readFileSync(result, 'utf8')).tests);
  const count = (outcome) => tests.filter(([, test]) => test.outcome === outcome).length;
  const failing = Object.fromEntries(
    tests.filter(([, test]) => test.outcome === 'failed').map(([name, test]) => [name, test.detail]),
  );
  const passed = count('passed');
  const failures = unexpected(suite, passed, failing);
  return { ran: tests.length, passed, failed: count('failed'), skipped: count('skipped'), failing, failures, seconds };
}

function unexpected(suite, passed, failing) {
  const expected = JSON.parse(readFileSync(EXPECTED_PATH, 'utf8')).suites[suite.name] ?? { passed: 0, failing: {} };
  const failures = Object.entries(failing)
    .filter(([name]) => expected.failing[name] === undefined)
    .map(([name, detail]) => `${suite.title}: ${name}: ${detail}`);
  if (failures.length === 0 && passed < expected.passed * ENOUGH) {
    failures.push(`${suite.title}: only ${passed} tests passed through the server, of ${expected.passed} recorded`);
  }
  return failures;
}

/** Runs a suite to its end and returns what it wrote. */
function outputOf(python, suite, result) {
  const source = sourceOf(suite);
  const django = [join(HERE, 'run_django.py'), join(source, 'tests'), result, ...suite.tests];
  const pytest = ['-m', 'pytest', '-p', 'harness.pytest_plugin', '-p', 'no:cacheprovider', '--timeout', '60', '-q'];
  const child = spawn(python, suite.runner === 'django' ? django : [...pytest, ...suite.tests], {
    cwd: source,
    env: {
      ...process.env,
      PYTHONPATH: HERE,
      PYTHONDONTWRITEBYTECODE: '1',
      CONFORMANCE_NODE: process.execPath,
      CONFORMANCE_SUITE: suite.name,
      CONFORMANCE_RESULT: result,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (block) => (output += block));
  const timer = setTimeout(() => child.kill('SIGKILL'), SUITE_MS);
  return new Promise((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('close', () => {
      clearTimeout(timer);
      resolve(output);
    });
  });
}

function sourceOf(suite) {
  return join(PLACE, 'src', `${suite.name}-${suite.version}`);
}

function bringSource(python, suite) {
  console.log(`- bring the tests of ${suite.title} ${suite.version}`);
  const archives = join(PLACE, 'sdist');
  mkdirSync(archives, { recursive: true });
  mkdirSync(join(PLACE, 'src'), { recursive: true });
  const download = ['-m', 'pip', 'download', '-q', '--disable-pip-version-check', '--no-deps', '--dest', archives];
  const wanted = ['--no-binary', suite.name, `${suite.name}==${suite.version}`];
  if (!run(python, [...download, ...wanted], { quiet: true })) return false;
  const archive = join(archives, `${suite.name}-${suite.version}.tar.gz`);
  return run('tar', ['-xzf', archive, '-C', join(PLACE, 'src')], { quiet: true });
}
