import assert from 'node:assert/strict';
import { chmodSync, chownSync, existsSync, mkdirSync, readdirSync, statSync, symlinkSync } from 'node:fs';
import module from 'node:module';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { cacheDirectory } from '../../src/os/compile-cache.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { runViaduct } from '../support/viaduct.ts';

const NOT_ROOT = process.geteuid?.() === 0 ? false : 'only root can give directories away';

describe('the directory for compiled code', () => {
  it('is ~/.cache/viaduct/compiled, and private', (t) => {
    const home = temporaryDirectory(t);
    const directory = join(home, '.cache/viaduct/compiled');
    assert.equal(cacheDirectory({}, home), directory);
    assert.equal(statSync(directory).mode & 0o777, 0o700);
    assert.equal(cacheDirectory({}, home), directory, 'a second time');
  });

  it('is in XDG_CACHE_HOME if that is an absolute path', (t) => {
    const home = temporaryDirectory(t);
    const other = temporaryDirectory(t);
    assert.equal(cacheDirectory({ XDG_CACHE_HOME: other }, home), join(other, 'viaduct/compiled'));
    assert.equal(cacheDirectory({ XDG_CACHE_HOME: 'relative' }, home), join(home, '.cache/viaduct/compiled'));
  });

  it('does not exist for a user without a home directory', (t) => {
    const missing = join(temporaryDirectory(t), 'missing');
    for (const home of ['', '/', missing]) assert.equal(cacheDirectory({}, home), null, home);
    assert.ok(!existsSync(missing));
  });

  for (const part of ['', '.cache', '.cache/viaduct', '.cache/viaduct/compiled']) {
    const where = join('~', part);

    it(`is not used if others may write to ${where}`, (t) => {
      const home = temporaryDirectory(t);
      mkdirSync(join(home, part), { recursive: true });
      for (const mode of [0o770, 0o702]) {
        chmodSync(join(home, part), mode);
        assert.equal(cacheDirectory({}, home), null);
      }
      chmodSync(join(home, part), 0o755);
      assert.notEqual(cacheDirectory({}, home), null);
    });

    it(`is not used if ${where} belongs to another user`, { skip: NOT_ROOT }, (t) => {
      const home = temporaryDirectory(t);
      mkdirSync(join(home, part), { recursive: true });
      chownSync(join(home, part), 65_534, 65_534);
      assert.equal(cacheDirectory({}, home), null);
    });
  }

  it('is not used if a link leads to it, which another user may have made', (t) => {
    const home = temporaryDirectory(t);
    mkdirSync(join(home, '.cache'));
    symlinkSync(temporaryDirectory(t), join(home, '.cache/viaduct'));
    assert.equal(cacheDirectory({}, home), null);
  });

  // A Node that keeps no compiled code has nothing to test.
  const test = 'flushCompileCache' in module ? it : () => {};
  test('is used by a server, and not by a command that ends at once', async (t: TestContext) => {
    const home = temporaryDirectory(t);
    const before = process.env.XDG_CACHE_HOME;
    process.env.XDG_CACHE_HOME = home;
    t.after(() => {
      if (before === undefined) delete process.env.XDG_CACHE_HOME;
      else process.env.XDG_CACHE_HOME = before;
    });
    await runViaduct(home, '--version');
    assert.deepEqual(readdirSync(home), []);
    await runViaduct(home, 'serve', './missing.py');
    assert.equal(readdirSync(join(home, 'viaduct/compiled')).length, 1);
  });
});
