import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { codeBlocks, readPage } from '../support/pages.ts';
import { makeProject, WSGI_APP } from '../support/project.ts';
import { ROOT } from '../support/viaduct.ts';

const PAGE = readPage('testing.md');
const { version, dependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
  readonly version: string;
  readonly dependencies: Readonly<Record<string, string>>;
};

/** The programs of the page, by the name in their first line. */
const PROGRAMS = codeBlocks(PAGE).flatMap(({ text }) => {
  const [, name = ''] = /^(?:\/\/|#) ([\w.-]+\.(?:mjs|py))\n/.exec(text) ?? [];
  return name === '' ? [] : [{ name, text }];
});

/** The command lines of processes that run in `directory`; none where the system does not tell. */
function processesIn(directory: string): readonly string[] {
  if (process.platform !== 'linux') return [];
  return readdirSync('/proc').flatMap((pid) => {
    try {
      const runsThere = /^\d+$/.test(pid) && readlinkSync(`/proc/${pid}/cwd`).startsWith(directory);
      return runsThere ? [readFileSync(`/proc/${pid}/cmdline`, 'latin1').replaceAll('\0', ' ')] : [];
    } catch {
      return []; // it has ended meanwhile, or belongs to somebody else
    }
  });
}

describe('the package', () => {
  it('is installed from its tarball, and the tests of the page pass with it', (t) => {
    for (const [, found] of PAGE.matchAll(/viaduct-([\d.]+)\.tgz/g)) assert.equal(found, version);
    const directory = makeProject(t, {
      'package.json': '{ "name": "shop", "private": true }\n',
      'wsgi.py': WSGI_APP,
      'assets/index.html': 'a page',
      ...Object.fromEntries(PROGRAMS.map(({ name, text }) => [name, text])),
    });
    const run = (program: string, ...args: string[]) => {
      // Node's runner tells its children to report to it.
      const { NODE_TEST_CONTEXT: _, ...env } = process.env;
      const { status, stdout, stderr } = spawnSync(program, args, {
        cwd: directory,
        encoding: 'utf8',
        env,
        timeout: 120_000,
      });
      assert.equal(status, 0, `${program} ${args.join(' ')}\n${stdout}${stderr}`);
      return stdout + stderr;
    };
    const packed = run('npm', 'pack', '--ignore-scripts', '--silent', '--pack-destination', '.', ROOT).trim();
    assert.equal(basename(packed), `viaduct-${version}.tgz`);
    // What the package needs is there already, so that npm asks no registry.
    for (const name of Object.keys(dependencies)) {
      const place = join(directory, 'node_modules', name);
      mkdirSync(dirname(place), { recursive: true });
      cpSync(join(ROOT, 'node_modules', name), place, { recursive: true });
    }
    run('npm', 'install', '--offline', '--no-audit', '--no-fund', '--save-dev', `./${basename(packed)}`);
    assert.match(run('npx', 'viaduct', '--version'), new RegExp(`^viaduct ${version}$`, 'm'));
    for (const name of [
      'python/viaduct_worker/__main__.py',
      'deploy/systemd/viaduct.service',
      'docs/settings.md',
      'dist/index.d.ts',
    ])
      assert.ok(existsSync(join(directory, 'node_modules/viaduct', name)), name);
    run('node', '-e', "if (typeof require('viaduct').createServer !== 'function') process.exit(1)");
    const tests = PROGRAMS.map(({ name }) => name).filter((name) => name.endsWith('.test.mjs'));
    assert.equal(tests.length, 3);
    assert.match(run('node', '--test'), /^# pass 5$|pass 5$/m);
    assert.match(run('python3', '-m', 'unittest', '-v', 'test_site'), /^OK$/m);
    assert.deepEqual(processesIn(directory), [], 'the tests of the page leave nothing running');
  });
});
