import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { ROOT } from '../support/viaduct.ts';
import { loadScript } from './load.ts';

interface Choice {
  readonly chosen: readonly string[];
  readonly unmatched: readonly { readonly pattern: string; readonly near: readonly string[] }[];
}

const { chooseTests, compiled, isQuick, needsEachDjango, needsEachNode, ON_ONE_NODE, STARTS_PROGRAMS, testPaths } =
  (await loadScript('test-files.mjs')) as {
    chooseTests: (patterns: readonly string[], paths: readonly string[]) => Choice;
    compiled: (paths: readonly string[]) => readonly string[];
    isQuick: (path: string) => boolean;
    needsEachDjango: (path: string) => boolean;
    needsEachNode: (path: string) => boolean;
    ON_ONE_NODE: readonly RegExp[];
    STARTS_PROGRAMS: ReadonlySet<string>;
    testPaths: () => readonly string[];
  };

const PATHS = [
  'http/http1/header-cache.test.ts',
  'http/semantics/range.test.ts',
  'python/test_lane.py',
  'system/static.test.ts',
  'wsgi/compose.test.ts',
];

describe('the tests of the second Node', () => {
  it('are those of what Node does', () => {
    for (const path of ['http/http2/session.test.ts', 'system/http-attacks.test.ts', 'system/cluster.test.ts'])
      assert.equal(needsEachNode(path), true, path);
    for (const path of ['docs/index.test.ts', 'system/docs-backends.test.ts', 'system/content-memory.test.ts'])
      assert.equal(needsEachNode(path), false, path);
  });

  it('leave nothing out that does not exist', () => {
    for (const pattern of ON_ONE_NODE)
      assert.ok(
        testPaths().some((path) => pattern.test(path)),
        String(pattern),
      );
  });
});

describe('the tests of the newest Django', () => {
  it('are those of its traces', () => {
    assert.deepEqual(testPaths().filter(needsEachDjango), ['python/test_tracing_django.py']);
  });
});

describe('the choice of tests', () => {
  const chosenBy = (...patterns: string[]) => chooseTests(patterns, PATHS).chosen;

  it('takes pieces of paths, and several of them', () => {
    assert.deepEqual(chosenBy('http1/'), ['http/http1/header-cache.test.ts']);
    assert.deepEqual(chosenBy('lane', 'range'), ['http/semantics/range.test.ts', 'python/test_lane.py']);
  });

  it('takes the path of a test, and of the source that it tests', () => {
    for (const path of ['test/wsgi/compose.test.ts', './test/wsgi/compose.test.ts', 'src/wsgi/compose.ts']) {
      assert.deepEqual(chosenBy(path), ['wsgi/compose.test.ts'], path);
    }
    assert.deepEqual(chosenBy('python/viaduct_worker/lane.py'), ['python/test_lane.py']);
  });

  it('names the nearest paths when nothing matches', () => {
    assert.deepEqual(chooseTests(['range', 'composer'], PATHS), {
      chosen: ['http/semantics/range.test.ts'],
      unmatched: [{ pattern: 'composer', near: ['wsgi/compose.test.ts'] }],
    });
    assert.deepEqual(chooseTests(['zzz'], PATHS).unmatched, [{ pattern: 'zzz', near: [] }]);
  });
});

describe('the files with tests', () => {
  it('are those in TypeScript and in Python', () => {
    const paths = testPaths();
    for (const path of ['scripts/test-files.test.ts', 'python/test_lane.py']) assert.ok(paths.includes(path), path);
    assert.ok(!paths.includes('support/viaduct.ts'));
    assert.ok(!paths.some((path) => path.startsWith('python/') && !path.startsWith('python/test_')));
  });

  it('are run where they are compiled', () => {
    assert.deepEqual(compiled(['wsgi/compose.test.ts', 'python/test_lane.py']), ['.build/test/wsgi/compose.test.js']);
  });

  it('are quick, except those that start other programs', () => {
    assert.equal(isQuick('wsgi/compose.test.ts'), true);
    assert.equal(isQuick('swap/page.test.ts'), true);
    for (const path of ['system/static.test.ts', 'swap/matrix-nginx.test.ts', ...STARTS_PROGRAMS]) {
      assert.equal(isQuick(path), false, path);
    }
    for (const path of STARTS_PROGRAMS) assert.ok(existsSync(join(ROOT, 'test', path)), `${path} does not exist`);
  });
});
