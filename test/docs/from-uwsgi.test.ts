import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { readArguments } from '../../src/cli/arguments.ts';
import { migrationRows, rowsAbout, wrongRows } from '../support/migration-page.ts';
import { codeWords, readPage, sectionOf, tableRows } from '../support/pages.ts';
import { makeProject } from '../support/project.ts';
import { ROOT, runViaduct } from '../support/viaduct.ts';
import { UWSGI_OPTIONS } from './uwsgi-options.ts';

const ROWS = migrationRows('from-uwsgi.md');
const UWSGI = join(ROOT, '.setup/venv/bin/uwsgi');
const NO_UWSGI = existsSync(UWSGI) ? false : 'uWSGI is not installed in .setup/venv';

describe('the page for people who come from uWSGI', () => {
  it('has every option once, and no others', () => {
    const wrong = UWSGI_OPTIONS.filter((name) => rowsAbout(ROWS, name).length !== 1);
    assert.deepEqual(wrong, []);
    const exact = ROWS.flatMap(({ names }) => names).filter((name) => !name.endsWith('*'));
    assert.deepEqual(
      exact.filter((name) => !UWSGI_OPTIONS.includes(name)),
      [],
    );
    assert.equal(new Set(exact).size, exact.length);
  });

  it('has every option of the uWSGI that is installed', { skip: NO_UWSGI }, () => {
    const { stdout } = spawnSync(UWSGI, ['--help'], { encoding: 'utf8' });
    const names = [...stdout.matchAll(/^ +(?:-\w\|)?--([\w.-]+)/gm)].map(([, name = '']) => name);
    assert.ok(names.length > 900);
    assert.deepEqual(
      names.filter((name) => rowsAbout(ROWS, name).length !== 1),
      [],
    );
  });

  it('names keys of Viaduct that there are, or says that there is none', () => {
    assert.deepEqual(wrongRows(ROWS), []);
  });

  it('agrees with viaduct import', async (t) => {
    const values: Readonly<Record<string, string>> = {
      module: 'shop:app',
      processes: '3',
      threads: '2',
      cheaper: '1',
      'max-requests': '100',
      'max-requests-delta': '10',
      'max-worker-lifetime': '3600',
      'reload-on-rss': '512',
      harakiri: '30',
      'limit-post': '1000000',
      'buffer-size': '32768',
      'http-keepalive': '5',
      'worker-reload-mercy': '9',
      'lazy-apps': 'true',
      'disable-logging': 'true',
      'log-format': '%(addr) %(status)',
      home: '/srv/venv',
    };
    const lines = Object.entries(values).map(([name, value]) => `${name} = ${value}\n`);
    const project = makeProject(t, { 'uwsgi.ini': `[uwsgi]\n${lines.join('')}` });
    const { code, output } = await runViaduct(project, 'import', 'uwsgi.ini');
    assert.equal(code, 0, output);
    for (const name of Object.keys(values)) {
      const [key = ''] = codeWords(rowsAbout(ROWS, name)[0]?.ours ?? '');
      assert.match(output, new RegExp(`^${key} = `, 'm'), name);
    }
  });

  it('has commands that Viaduct takes', () => {
    for (const [theirs = '', ours = ''] of tableRows(sectionOf(readPage('from-uwsgi.md'), 'Commands'))) {
      const [command = ''] = codeWords(ours);
      assert.match(command, /^viaduct /, theirs);
      assert.deepEqual(readArguments(command.split(' ').slice(1)).errors, [], command);
    }
  });
});
