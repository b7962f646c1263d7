import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { readArguments } from '../../src/cli/arguments.ts';
import { environmentName, fileKey } from '../../src/config/setting.ts';
import { SETTINGS, settingNames } from '../../src/config/settings.ts';
import { HOOKS } from '../../src/import/gunicorn/carry-assignment.ts';
import { GUNICORN } from '../../src/import/gunicorn/settings.ts';
import { codeWords, readPage, sectionOf, tableRows } from '../support/pages.ts';
import { makeProject } from '../support/project.ts';
import { NO_PACKAGES, PYTHON_WITH_PACKAGES, ROOT, runViaduct } from '../support/viaduct.ts';
import { GUNICORN_SETTINGS } from './gunicorn-settings.ts';

const PAGE = readPage('from-gunicorn.md');
const ROWS = tableRows(sectionOf(PAGE, 'Settings'));
const NAMES = ROWS.map(([name = '']) => codeWords(name)[0] ?? name);

/** Names of all keys that a configuration may have. */
function keysOf(schema: unknown): string[] {
  if (typeof schema !== 'object' || schema === null) return [];
  const own =
    'properties' in schema && typeof schema.properties === 'object' ? Object.keys(schema.properties ?? {}) : [];
  return [...own, ...Object.values(schema).flatMap(keysOf)];
}

describe('the page for people who come from gunicorn', () => {
  it('has every setting of gunicorn 23.0.0, once', () => {
    assert.equal(new Set(NAMES).size, NAMES.length);
    assert.deepEqual(
      GUNICORN_SETTINGS.filter((name) => !NAMES.includes(name)),
      [],
    );
  });

  it('has every setting of the gunicorn that is installed, and no others', { skip: NO_PACKAGES }, () => {
    const code = 'from gunicorn.config import KNOWN_SETTINGS; print(*[one.name for one in KNOWN_SETTINGS])';
    const { stdout, status } = spawnSync(PYTHON_WITH_PACKAGES ?? '', ['-c', code], { encoding: 'utf8' });
    assert.equal(status, 0);
    assert.deepEqual([...NAMES].sort(), [...new Set([...stdout.trim().split(' '), ...GUNICORN_SETTINGS])].sort());
  });

  it('has no setting of which viaduct import says nothing', () => {
    assert.deepEqual(
      NAMES.filter((name) => !Object.hasOwn(GUNICORN, name) && !HOOKS.has(name)),
      [],
    );
  });

  it('names settings of Viaduct that there are, or says that there is none', () => {
    const schema: unknown = JSON.parse(readFileSync(join(ROOT, 'docs/viaduct.schema.json'), 'utf8'));
    const keys = new Set([...settingNames().map(fileKey), ...keysOf(schema)]);
    for (const [name = '', ours = ''] of ROWS) {
      if (ours === 'no counterpart' || ours === 'not needed') continue;
      const [key = ''] = codeWords(ours);
      assert.ok(keys.has(key), `${name}: ${ours}`);
    }
  });

  it('does not say "no counterpart" of a setting that viaduct import carries over', async (t) => {
    const values: Readonly<Record<string, string>> = {
      workers: '3',
      threads: '2',
      graceful_timeout: '7',
      keepalive: '9',
      preload_app: 'True',
      limit_request_line: '9000',
      limit_request_fields: '50',
      limit_request_field_size: '65536',
      accesslog: '"/var/log/shop/access.log"',
      access_log_format: `'%(h)s "%(r)s" %(s)s %(L)s'`,
      errorlog: '"/var/log/shop/error.log"',
      bind: '"0.0.0.0:9000"',
      wsgi_app: '"shop:app"',
      forwarded_allow_ips: '"10.0.0.1"',
    };
    const text = Object.entries(values).map(([name, value]) => `${name} = ${value}\n`);
    const cwd = makeProject(t, { 'gunicorn.conf.py': text.join('') });
    const { code, output } = await runViaduct(cwd, 'import', 'gunicorn.conf.py');
    assert.equal(code, 0, output);
    for (const name of Object.keys(values)) {
      const [, ours = ''] = ROWS[NAMES.indexOf(name)] ?? [];
      assert.match(output, new RegExp(`^${codeWords(ours)[0]} = .*# from gunicorn`, 'm'), name);
    }
  });

  it('has commands that Viaduct takes, and variables that there are', () => {
    for (const [gunicorn = '', ours = ''] of tableRows(sectionOf(PAGE, 'Commands'))) {
      const [command = ''] = codeWords(ours);
      const [variable] = /^VIADUCT_\w+/.exec(command) ?? [];
      if (variable !== undefined) {
        assert.ok(settingNames().some((name) => environmentName(name) === variable));
        continue;
      }
      const words = [...command.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '');
      assert.equal(words[0], 'viaduct', gunicorn);
      assert.deepEqual(readArguments(words.slice(1)).errors, [], command);
    }
  });

  it('has the defaults of the settings', () => {
    const [ours, gunicorn] = [
      SETTINGS,
      new Map(
        tableRows(PAGE.slice(PAGE.indexOf('| default |'), PAGE.indexOf('## Settings'))).map(([name, , value]) => [
          name,
          value,
        ]),
      ),
    ];
    assert.equal(gunicorn.get('threads'), `${ours.threads.default}`);
    assert.equal(gunicorn.get('idle connections are kept'), `${ours.keepAliveTimeoutMs.default / 1000} s`);
    assert.equal(gunicorn.get('time to finish at the stop'), `${ours.gracefulTimeoutMs.default / 1000} s`);
    assert.equal(gunicorn.get('request line'), `${ours.requestLineBytesMax.default / 1024} KiB`);
    assert.equal(
      gunicorn.get('header lines'),
      `${ours.headerCountMax.default}, together ${ours.headerBytesMax.default / 1024} KiB`,
    );
    assert.equal(gunicorn.get('content (the body) of a request'), `${ours.bodyBytesMax.default / 1024 ** 3} GiB`);
  });
});
