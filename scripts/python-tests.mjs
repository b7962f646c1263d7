import { spawnSync } from 'node:child_process';
import { basename, join } from 'node:path';
import { ROOT } from './steps.mjs';

const DIRECTORY = join(ROOT, 'test/python');
const LIMIT_SECONDS = 300;

/** `python -m unittest`, which after the limit prints the stack of each thread and exits: so a test that hangs is named. */
const UNITTEST = `import faulthandler, unittest
faulthandler.dump_traceback_later(${LIMIT_SECONDS}, exit=True)
unittest.main(module=None)`;

/**
 * Runs the tests that are written in Python: they test what runs in the worker.
 *
 * @param {string} python an interpreter
 * @param {readonly string[]} paths files below `test`, such as `python/test_lane.py`
 * @returns {import('./count-reporter.mjs').Counts}
 */
export function runPythonTests(python, paths) {
  const args = ['-c', UNITTEST, ...paths.map((path) => basename(path, '.py'))];
  const env = { ...process.env, PYTHONPATH: join(ROOT, 'python'), PYTHONDONTWRITEBYTECODE: '1' };
  const options = { cwd: DIRECTORY, env, encoding: 'utf8' };
  const { status, stderr, error } = spawnSync(python, args, options);
  process.stdout.write(stderr ?? '');
  if (error !== undefined) console.log(`Cannot run "${python}": ${error.message}`);
  const count = (pattern) => Number(pattern.exec(stderr ?? '')?.[1] ?? 0);
  const skipped = count(/\bskipped=(\d+)/);
  const failed = count(/\bfailures=(\d+)/) + count(/\berrors=(\d+)/) || (status === 0 ? 0 : 1);
  const passed = Math.max(0, count(/^Ran (\d+) tests?/m) - failed - skipped);
  const names = Array.from((stderr ?? '').matchAll(/^(?:FAIL|ERROR): (.+)$/gm), ([, name]) => name).join(', ');
  const list = (number, what) => (number === 0 ? [] : [`${number} Python tests ${what}, see above`]);
  const failures = list(failed, `failed (${names === '' ? 'the run did not end' : names})`);
  return { passed, failed, skipped, failures, skips: list(skipped, 'skipped') };
}
