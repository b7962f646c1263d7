import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './steps.mjs';

/** Tests outside of `system` that start interpreters, browsers or whole servers. */
export const STARTS_PROGRAMS = new Set([
  'api/create-server.test.ts',
  'handlers/auth/claimed-fields.test.ts',
  'handlers/in-browser.test.ts',
  'http/http2/clients.test.ts',
  'import/judge/judge.test.ts',
  'project/discover.test.ts',
  'simulation/mutants.test.ts',
  'wsgi/adapters/fetch.test.ts',
  'wsgi/adapters/from-node.test.ts',
  'wsgi/adapters/to-node.test.ts',
  'wsgi/middleware.test.ts',
]);

/** Whether a test needs neither other programs nor a set-up, so that `npm run check` runs it. `npm test` runs all tests. */
export function isQuick(path) {
  return (
    !/^(?:applications\/|attack\/|import\/judge\/|servers\/|system\/|swap\/matrix-|ui\/[\w-]+\.)/.test(path) &&
    !STARTS_PROGRAMS.has(path)
  );
}

/**
 * What depends on the project, on Python or on other programs, and not on the version of Node: `npm test` runs it on the first Node only. Some of
 * these tests are long.
 */
export const ON_ONE_NODE = [
  /^(?:applications|bench|docs|import|scripts|servers|simulation|swap|ui)\//,
  /^handlers\/in-browser\./,
  /^system\/(?:browser|content-memory|deploy|deploy-use|docs|examples|frameworks|import|readme|trace-django)\./,
  /^system\/docs-/,
];

/** Whether the second Node runs a test, too. */
export function needsEachNode(path) {
  return !ON_ONE_NODE.some((pattern) => pattern.test(path));
}

/** Whether a test runs with the newest Django, too: what traces of Django look like. */
export function needsEachDjango(path) {
  return path === 'python/test_tracing_django.py';
}

/** @returns {string[]} all files with tests, in TypeScript and Python, as paths below `test` */
export function testPaths() {
  return readdirSync(join(ROOT, 'test'), { recursive: true })
    .map((path) => String(path).replaceAll('\\', '/'))
    .filter((path) => path.endsWith('.test.ts') || /^python\/test_\w+\.py$/.test(path))
    .sort();
}

/**
 * The compiled files of tests. They are found by their sources, because `.build` also keeps what an earlier version left there.
 *
 * @param {readonly string[]} paths as from `testPaths`
 */
export function compiled(paths) {
  return paths.filter((path) => path.endsWith('.ts')).map((path) => join('.build/test', path.replace(/\.ts$/, '.js')));
}

/**
 * Chooses the paths that contain one of the patterns. A pattern may also be the path of a source: `src/workers/lane.ts` chooses
 * `workers/lane.test.ts`.
 *
 * @param {readonly string[]} patterns
 * @param {readonly string[]} paths
 * @returns {{ chosen: string[], unmatched: { pattern: string, near: string[] }[] }} `near` has the paths most like a pattern without a match
 */
export function chooseTests(patterns, paths) {
  const pieces = patterns.map((pattern) => ({ pattern, piece: pieceOf(pattern) }));
  const chosen = paths.filter((path) => pieces.some(({ piece }) => path.includes(piece)));
  const unmatched = pieces
    .filter(({ piece }) => !paths.some((path) => path.includes(piece)))
    .map(({ pattern, piece }) => ({ pattern, near: nearPaths(piece, paths) }));
  return { chosen, unmatched };
}

function pieceOf(pattern) {
  const path = pattern.replaceAll('\\', '/').replace(/^(?:\.\/)?(?:(?:test|src)\/)?/, '');
  return path.replace(/(?:\.test)?\.[tj]s$/, '.').replace(/^python\/viaduct_worker\//, 'python/test_');
}

const NEAR_MAX = 5;
const NEAR_MIN = 0.3;

/** The paths whose names share the most pairs of letters with the piece, the best first. */
function nearPaths(piece, paths) {
  const wanted = pairsOf(nameOf(piece));
  return paths
    .map((path) => ({ path, likeness: likeness(wanted, pairsOf(nameOf(path))) }))
    .filter((each) => each.likeness >= NEAR_MIN)
    .sort((a, b) => b.likeness - a.likeness)
    .slice(0, NEAR_MAX)
    .map(({ path }) => path);
}

function nameOf(path) {
  const last = path.replace(/\/$/, '').split('/').at(-1);
  return last.replace(/\.test\.ts$|\.py$|\.$/, '').replace(/^test_/, '');
}

function pairsOf(name) {
  return new Set(Array.from({ length: Math.max(0, name.length - 1) }, (_, index) => name.slice(index, index + 2)));
}

/** Dice's coefficient: 1 for the same set, 0 for sets that share nothing. */
function likeness(a, b) {
  const shared = [...a].filter((pair) => b.has(pair)).length;
  return a.size + b.size === 0 ? 0 : (2 * shared) / (a.size + b.size);
}
