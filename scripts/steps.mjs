import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The project's directory. */
export const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

/** Where things live that the tests need and git does not keep. */
export const SETUP = join(ROOT, '.setup');

/**
 * Runs a command with our own output.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ env?: Record<string, string>, quiet?: boolean, directory?: string }} [options] `quiet` shows the output only when the command
 *   fails; `directory` is where it runs, the project's own when absent.
 * @returns {boolean} true when it ended with 0
 */
export function run(command, args, { env = {}, quiet = false, directory = ROOT } = {}) {
  const result = spawnSync(command, args, {
    cwd: directory,
    env: { ...process.env, ...env },
    stdio: quiet ? ['ignore', 'pipe', 'pipe'] : ['ignore', 'inherit', 'inherit'],
    maxBuffer: 64 * 1024 * 1024,
  });
  if (quiet && result.status !== 0) process.stdout.write(`${result.stdout ?? ''}${result.stderr ?? ''}`);
  if (result.error !== undefined) console.log(`Cannot run "${command}": ${result.error.message}`);
  return result.status === 0;
}

/** Runs a step and says what it is and how long it took. Ends this process when the step fails. */
export function mustRun(title, command, args, options) {
  const started = Date.now();
  console.log(`- ${title}`);
  if (!run(command, args, options)) {
    console.log(`Failed: ${title} (${command} ${args.join(' ')})`);
    process.exit(1);
  }
  const seconds = (Date.now() - started) / 1000;
  if (seconds >= 5) console.log(`  ${seconds.toFixed(0)} s`);
}

/** A tool of node_modules, run by this Node. */
export function tool(name) {
  const { bin } = JSON.parse(readFileSync(join(ROOT, 'node_modules', name, 'package.json'), 'utf8'));
  const path = typeof bin === 'string' ? bin : Object.values(bin)[0];
  return join(ROOT, 'node_modules', name, path);
}

/** Installs the packages of the lock file when they are missing or older than it. */
export function installPackages() {
  const installed = join(ROOT, 'node_modules/.package-lock.json');
  const fresh =
    existsSync(installed) && statSync(installed).mtimeMs >= statSync(join(ROOT, 'package-lock.json')).mtimeMs;
  if (!fresh) mustRun('install packages', 'npm', ['ci', '--include=dev', '--no-audit', '--no-fund']);
}

/** Compiles `src` to `dist`, and `src` and `test` to `.build`, where the tests run. Both check the types. */
export function compile() {
  const tsc = tool('typescript');
  mustRun('compile src', process.execPath, [tsc, '-p', 'tsconfig.json']);
  mustRun('compile tests', process.execPath, [tsc, '-p', 'test/tsconfig.json']);
}

/** Format, lint and layer rules. A warning counts: what is only warned about is never mended. */
export function lint() {
  mustRun('format, lint, layers', process.execPath, [tool('@biomejs/biome'), 'check', '--error-on-warnings']);
}

/**
 * The compiled test files below these directories of `test/`. They are found by their sources, so that what an earlier version left
 * in `.build` is not run.
 *
 * @param {(path: string) => boolean} wanted asked with paths such as `http/parser.test.ts`
 */
export function testFiles(wanted) {
  return readdirSync(join(ROOT, 'test'), { recursive: true })
    .map((path) => String(path).replaceAll('\\', '/'))
    .filter((path) => path.endsWith('.test.ts') && wanted(path))
    .sort()
    .map((path) => join('.build/test', path.replace(/\.ts$/, '.js')));
}

/**
 * Runs test files on a Node and counts.
 *
 * @param {string} node path of the Node
 * @param {readonly string[]} files
 * @returns {import('./count-reporter.mjs').Counts}
 */
export function runTests(node, files) {
  const counts = join(SETUP, `counts-${process.pid}.json`);
  const args = [
    '--test',
    '--test-timeout=600000',
    '--test-reporter=spec',
    '--test-reporter-destination=stdout',
    '--test-reporter=./scripts/count-reporter.mjs',
    `--test-reporter-destination=${counts}`,
    ...files,
  ];
  const succeeded = files.length === 0 || run(node, args);
  try {
    const result = JSON.parse(readFileSync(counts, 'utf8'));
    if (!succeeded && result.failed === 0) result.failed = 1;
    return result;
  } catch {
    return {
      passed: 0,
      failed: files.length === 0 ? 0 : 1,
      skipped: 0,
      skips: [],
      failures: ['the test runner itself'],
    };
  } finally {
    rmSync(counts, { force: true });
  }
}
