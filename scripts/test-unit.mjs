/**
 * `npm run test:unit -- PATTERN …`: compiles the tests and runs the files whose path contains a pattern. A pattern is a piece of a path below
 * `test`, such as `http1/`, `lane` or `python/test_lane`, or the path of a source. Without a pattern the tests of `npm run check` run.
 * With `--watch` they run again after each change.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { endGroup } from './compile-at-changes.mjs';
import { runPythonTests } from './python-tests.mjs';
import { onEndSignal } from './signals.mjs';
import { compile, installPackages, ROOT, runTests, SETUP } from './steps.mjs';
import { chooseTests, compiled, isQuick, testPaths } from './test-files.mjs';
import { watchFiles } from './watch-files.mjs';

const { patterns, isWatching } = readArguments();
if (isWatching) runAtChanges();
else process.exitCode = runOnce() ? 0 : 1;

function readArguments() {
  try {
    const { values, positionals } = parseArgs({ options: { watch: { type: 'boolean' } }, allowPositionals: true });
    return { patterns: positionals, isWatching: values.watch === true };
  } catch (error) {
    console.log(
      `Cannot read the arguments: ${error.message.split('. ')[0]}\nUsage: npm run test:unit -- [PATTERN …] [--watch]`,
    );
    process.exit(2);
  }
}

/** @returns {boolean} whether there were tests and all passed */
function runOnce() {
  const paths = choose();
  if (paths.length === 0) return false;
  installPackages();
  mkdirSync(SETUP, { recursive: true });
  const files = compiled(paths);
  const inPython = paths.filter((path) => path.endsWith('.py'));
  if (files.length > 0) compile();
  console.log(`- tests in ${paths.length === 1 ? paths[0] : `${paths.length} files`}`);
  const results = [runTests(process.execPath, files, { concurrency: availableParallelism() })];
  if (inPython.length > 0) results.push(runPythonTests(interpreter(), inPython));
  report(results);
  return results.every(({ failed }) => failed === 0);
}

/** The chosen paths. None, having said why, when a pattern matches nothing. */
function choose() {
  const all = testPaths();
  if (patterns.length === 0) return all.filter(isQuick);
  const { chosen, unmatched } = chooseTests(patterns, all);
  for (const { pattern, near } of unmatched) {
    const advice = near.length > 0 ? `Did you mean\n  ${near.join('\n  ')}` : 'The paths below test/ are the names.';
    console.log(`Cannot find tests for "${pattern}": no path of a test contains it. ${advice}`);
  }
  return unmatched.length > 0 ? [] : chosen;
}

/** The Python of the tests' virtual environment, or the system's: these tests need no packages. */
function interpreter() {
  const prepared = join(SETUP, 'venv/bin/python');
  return existsSync(prepared) ? prepared : 'python3';
}

function report(results) {
  const sum = (key) => results.reduce((total, result) => total + result[key], 0);
  const skips = [...new Set(results.flatMap((result) => result.skips))];
  for (const name of skips) console.log(`skipped: ${name}`);
  if (skips.length > 0) console.log('"npm test" prepares what skipped tests need.');
  for (const name of results.flatMap((result) => result.failures)) console.log(`failed: ${name}`);
  console.log(`${sum('passed')} passed, ${sum('failed')} failed, ${sum('skipped')} skipped`);
}

/** Runs this script without `--watch`, now and after each change. A run that is not over when a change comes is ended. */
function runAtChanges() {
  let run = null;
  const start = () => {
    if (run !== null) endGroup(run.pid);
    const started = spawn(process.execPath, [import.meta.filename, ...patterns], { stdio: 'inherit', detached: true });
    run = started;
    started.on('exit', () => {
      if (run !== started) return;
      run = null;
      console.log('- waiting for a change; Ctrl-C ends');
    });
  };
  const directories = ['src', 'test', 'python'].map((name) => join(ROOT, name));
  watchFiles(directories, /\.(?:ts|py|http|json|toml|conf|ini)$/, start);
  onEndSignal(() => process.exit(0));
  process.on('exit', () => {
    if (run !== null) endGroup(run.pid);
  });
  start();
}
