/** Checks the Python files with ruff and mypy. Run as a program it exits with 0 or 1. */
import { join } from 'node:path';
import { preparePythonTools } from './setup.mjs';
import { ROOT, run, SETUP } from './steps.mjs';

const CI = (process.env.CI ?? '') !== '' && process.env.CI !== 'false';
const PYTHON = join(ROOT, 'python');
const DIRECTORIES = ['python', 'test/python'];
const RUFF = join('.setup', 'python-tools', 'bin', 'ruff');
const CACHE = join(SETUP, 'python-tools', 'cache');
const ENV = { RUFF_CACHE_DIR: join(CACHE, 'ruff'), MYPY_CACHE_DIR: join(CACHE, 'mypy') };

const CHECKS = [
  {
    title: 'ruff check',
    args: ['ruff', 'check', ...DIRECTORIES],
    directory: ROOT,
    advice: `"${RUFF} check --fix ${DIRECTORIES.join(' ')}" fixes part of it.`,
  },
  {
    title: 'ruff format',
    args: ['ruff', 'format', '--diff', ...DIRECTORIES],
    directory: ROOT,
    advice: `"${RUFF} format ${DIRECTORIES.join(' ')}" fixes it.`,
  },
  {
    title: 'mypy',
    args: ['mypy', '--strict'],
    directory: PYTHON,
    advice: 'Its settings are in python/pyproject.toml.',
  },
];

/**
 * Lints the Python files and checks their format and types. Each check runs, also after one that failed.
 *
 * @returns {boolean | 'skipped'} whether all checks passed; 'skipped' if the tools are missing. With CI set missing tools are a failure.
 */
export function checkPython() {
  const python = preparePythonTools();
  if (python === null) {
    console.log(`  ${CI ? 'Failed' : 'Skipped'}: lint, format and types of Python`);
    return CI ? false : 'skipped';
  }
  console.log('- lint, format and types of Python');
  const failed = CHECKS.filter(({ args, directory }) => {
    return !run(python, ['-m', ...args], { env: ENV, quiet: true, directory });
  });
  for (const { title, advice } of failed) console.log(`Failed: ${title}, see above. ${advice}`);
  return failed.length === 0;
}

if (process.argv[1] === import.meta.filename) process.exitCode = checkPython() === false ? 1 : 0;
