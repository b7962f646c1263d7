import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The project's directory. */
export const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

/** Where things live that the tests need and git does not keep. */
export const SETUP = join(ROOT, '.setup');

/** What the compiler knows of the last build. */
export const BUILD_INFO = join(ROOT, 'dist/.tsbuildinfo');

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

/**
 * Runs a step and says what it is and how long it took. Ends this process when the step fails.
 *
 * @param {string} title
 * @param {string} command
 * @param {readonly string[]} args
 * @param {Parameters<typeof run>[2] & { advice?: string }} [options] `advice` says what to do when the step fails.
 */
export function mustRun(title, command, args, { advice, ...options } = {}) {
  const started = Date.now();
  console.log(`- ${title}`);
  if (!run(command, args, options)) {
    console.log(`Failed: ${title}. ${advice ?? `The command was: ${command} ${args.join(' ')}`}`);
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

/** Whether `dist` has the program. */
export function isBuilt() {
  return existsSync(join(ROOT, 'dist/cli/main.js'));
}

/** If `dist` was removed, its build information must go too: with it the compiler writes only the files that have changed since. */
export function forgetLostBuild() {
  if (!existsSync(join(ROOT, 'dist/index.d.ts'))) rmSync(BUILD_INFO, { force: true });
}

/**
 * The steps from `src` to `dist`, as arguments of Node: the compiler checks the types and writes those of the package, and the bundler writes the
 * program.
 *
 * @param {{ directory?: string, sourceMap?: boolean }} [options] `directory` has `tsconfig.json`; only the project's own has a bundle
 * @returns {readonly (readonly string[])[]}
 */
export function buildSteps({ directory = ROOT, sourceMap = false } = {}) {
  const types = [tool('typescript'), '-p', join(directory, 'tsconfig.json'), '--pretty', 'false'];
  const pages = [tool('typescript'), '-p', join(ROOT, 'ui/tsconfig.json'), '--pretty', 'false'];
  const program = [join(ROOT, 'scripts/bundle.mjs'), ...(sourceMap ? ['--sourceMap'] : [])];
  return directory === ROOT ? [types, pages, program] : [types];
}

/** Builds `dist`. */
export function build(options) {
  forgetLostBuild();
  const [types, pages, program] = buildSteps(options);
  mustRun('build', process.execPath, types);
  mustRun('types of the pages', process.execPath, pages);
  mustRun('bundle', process.execPath, program);
}

/** Builds `dist`, and compiles `src` and `test` to `.build`, where the tests run. Both check the types. */
export function compile() {
  build();
  mustRun('compile tests', process.execPath, [tool('typescript'), '-p', 'test/tsconfig.json']);
}

/** Format, lint and layer rules. A warning counts, because nobody fixes a warning. */
export function lint() {
  mustRun('layer rules are current', process.execPath, [join(ROOT, 'scripts/layers.mjs'), '--check']);
  const biome = [tool('@biomejs/biome'), 'check', '--error-on-warnings'];
  const advice = '"npm run format" fixes the format and the order of imports; the rest needs a hand.';
  mustRun('format, lint, layers', process.execPath, biome, { advice });
}

/**
 * Runs test files on a Node and counts.
 *
 * @param {string} node path of the Node
 * @param {readonly string[]} files
 * @param {{ concurrency?: number, quiet?: boolean }} [options] `concurrency` is how many files run at a time; Node decides when absent. `quiet`
 *   prints only the tests that fail.
 * @returns {import('./count-reporter.mjs').Counts}
 */
export function runTests(node, files, { concurrency, quiet = false } = {}) {
  if (files.length === 0) return { passed: 0, failed: 0, skipped: 0, skips: [], failures: [] };
  const counts = join(SETUP, `counts-${process.pid}.json`);
  const args = [
    '--test',
    ...(concurrency === undefined ? [] : [`--test-concurrency=${concurrency}`]),
    '--test-timeout=600000',
    '--import=./scripts/watchdog.mjs',
    `--test-reporter=${quiet ? './scripts/failure-reporter.mjs' : 'spec'}`,
    '--test-reporter-destination=stdout',
    '--test-reporter=./scripts/count-reporter.mjs',
    `--test-reporter-destination=${counts}`,
    ...files,
  ];
  const succeeded = run(node, args);
  try {
    const result = JSON.parse(readFileSync(counts, 'utf8'));
    if (!succeeded && result.failed === 0) result.failed = 1;
    return result;
  } catch {
    return { passed: 0, failed: 1, skipped: 0, skips: [], failures: ['the test runner itself'] };
  } finally {
    rmSync(counts, { force: true });
  }
}
