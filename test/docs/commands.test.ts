import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { readArguments } from '../../src/cli/arguments.ts';
import { COMMANDS } from '../../src/cli/command-names.ts';
import { helpText, settingLabel } from '../../src/cli/help.ts';
import { environmentName, fileKey } from '../../src/config/setting.ts';
import { settingNames } from '../../src/config/settings.ts';
import { codeWords, headingsOf, readPage, sectionOf, tableRows } from '../support/pages.ts';
import { makeProject, WSGI_APP } from '../support/project.ts';
import { BIN, startViaduct } from '../support/viaduct.ts';

const PAGE = readPage('commands.md');
const NAMES = Object.keys(COMMANDS);
const FLAGS = settingNames().filter((name) => name !== 'target');

function run(cwd: string, args: readonly string[], input = '') {
  const { status, stdout, stderr } = spawnSync(process.execPath, [BIN, ...args], { cwd, input, encoding: 'utf8' });
  return { status, stdout, stderr };
}

describe('the command reference', () => {
  it('has every command, in a table and under a heading', () => {
    const listed = tableRows(PAGE.slice(0, PAGE.indexOf('\n## '))).map(([command = '']) => codeWords(command)[0]);
    assert.deepEqual(listed, NAMES);
    const headings = headingsOf(PAGE).map(({ title }) => title);
    for (const name of NAMES)
      assert.ok(
        headings.some((title) => title.split(' and ').includes(`viaduct ${name}`)),
        name,
      );
  });

  it('has every flag with its variable and a link to its setting, in the order of the help', () => {
    const listed = tableRows(sectionOf(PAGE, 'Flags'));
    const expected = FLAGS.map((name) => [
      `\`${settingLabel(name)}\``,
      `\`${environmentName(name)}\``,
      `[${fileKey(name)}](settings.md#${fileKey(name)})`,
    ]);
    assert.deepEqual(listed, expected);
  });

  it('agrees with viaduct --help about commands and flags', () => {
    const help = helpText();
    const [, commands = ''] = /^Commands:\n([\s\S]*?)^\S/m.exec(help) ?? [];
    assert.deepEqual(
      [...commands.matchAll(/^ {2}(\S+)/gm)].map(([, name]) => name),
      NAMES,
    );
    const flags = [...help.matchAll(/^ {2}--(?:\[no-\])?([\w-]+)/gm)].map(([, flag = '']) => flag.replaceAll('-', '_'));
    assert.deepEqual(flags, FLAGS.map(fileKey));
  });

  it('has examples that the command line takes', () => {
    const examples = [...PAGE.matchAll(/^ {4}(?:.*\| )?viaduct (.*)$/gm)].map(([, line = '']) => line);
    const concrete = examples.filter((line) => !/[[|]|\b(FILE|NAME|PATH)\b/.test(line));
    assert.ok(concrete.length >= 9, concrete.join('\n'));
    for (const line of concrete) {
      const words = [...line.replace(/ {3,}.*$/, '').matchAll(/'([^']*)'|(\S+)/g)].map(([, a, b]) => a ?? b ?? '');
      const { errors, command } = readArguments(words);
      assert.deepEqual(errors, [], line);
      assert.equal(command, NAMES.find((name) => name === words[0]) ?? 'serve', line);
    }
  });

  it('has every flag of import, and every form of backends', (t) => {
    const cwd = makeProject(t, {});
    const form = run(cwd, ['import']).stderr;
    const flags = (text: string) => new Set([...text.matchAll(/--\w+/g)].map(([flag]) => flag));
    assert.deepEqual(flags(sectionOf(PAGE, 'viaduct import')), flags(form));
    const advice = run(cwd, ['backends', 'nonsense', '--control', 'none.sock']).stderr.split('\n')[1] ?? '';
    for (const verb of ['list', 'drain', 'enable', 'weight', 'configured']) {
      assert.ok(advice.includes(verb), advice);
      assert.match(sectionOf(PAGE, 'viaduct backends'), new RegExp(`viaduct backends .*\\b${verb}\\b`));
    }
  });

  it('says what check, hash-password and version print, and how they end', (t) => {
    const cwd = makeProject(t, { 'app.py': WSGI_APP });
    const check = run(cwd, ['check', '--workers', '3']);
    assert.equal(check.status, 0);
    const [, example = ''] = /^```text\n([\s\S]*?)^```$/m.exec(sectionOf(PAGE, 'viaduct check')) ?? [];
    for (const line of example
      .trimEnd()
      .split('\n')
      .filter((text) => !text.includes('python')))
      assert.ok(check.stdout.includes(`${line}\n`), check.stdout);
    const hash = run(cwd, ['hash-password'], 'the password\n');
    assert.deepEqual([hash.status, /^\$scrypt\$\S+\n$/.test(hash.stdout)], [0, true]);
    assert.equal(run(cwd, ['hash-password']).status, 2);
    const named = run(cwd, ['hash-password', 'jane'], 'the password\n');
    assert.deepEqual([named.status, named.stdout, /NAME:HASH/.test(named.stderr)], [2, '', true]);
    for (const flag of ['version', '--version', '-V', '-v']) assert.match(run(cwd, [flag]).stdout, /^viaduct \d/);
    for (const flag of ['help', '--help', '-h'])
      assert.equal(run(cwd, ['web', flag].slice(flag === 'help' ? 1 : 0)).stdout, helpText());
  });

  it('says where import writes, and how it ends', (t) => {
    const cwd = makeProject(t, { 'gunicorn.conf.py': 'bind = "0.0.0.0:8000"\numask = 7\n' });
    const printed = run(cwd, ['import', 'gunicorn.conf.py']);
    assert.equal(printed.status, 0);
    assert.match(printed.stdout, /^listen = /m);
    assert.match(printed.stderr, /umask/);
    assert.equal(run(cwd, ['import', 'gunicorn.conf.py', '-o', 'viaduct.toml']).stdout, '');
    assert.ok(readFileSync(join(cwd, 'viaduct.toml'), 'utf8').includes('listen'));
    assert.equal(run(cwd, ['import', 'gunicorn.conf.py', '--output', 'viaduct.toml']).status, 2);
    assert.equal(run(cwd, ['import', 'gunicorn.conf.py', '--output', 'viaduct.toml', '--force']).status, 0);
    assert.equal(run(cwd, ['import', 'none.conf']).status, 2);
    assert.equal(existsSync(join(cwd, 'none.conf')), false);
  });

  it('says what backends prints, and how it ends', async (t) => {
    const cwd = makeProject(t, { 'viaduct.toml': 'control = "control.sock"\nproxy = ["http://127.0.0.1:9"]\n' });
    const server = await startViaduct(t, ['web', '--access-log', 'off'], { cwd });
    const name = 'http://127.0.0.1:9';
    assert.match(run(cwd, ['backends', 'list']).stdout, /http:\/\/127\.0\.0\.1:9 +up +weight 1/);
    for (const words of [
      ['drain', name],
      ['weight', name, '5'],
    ]) {
      const { status, stdout } = run(cwd, ['backends', ...words]);
      assert.deepEqual([status, stdout], [0, '']);
    }
    assert.match(run(cwd, ['backends']).stdout, /draining +weight 5/);
    assert.equal(run(cwd, ['backends', 'weight', name, 'configured']).status, 0);
    assert.equal(run(cwd, ['backends', 'enable', name]).status, 0);
    assert.match(run(cwd, ['backends']).stdout, /up +weight 1/);
    assert.equal(run(cwd, ['backends', 'drain', 'http://127.0.0.1:10']).status, 2);
    await server.stop();
    assert.equal(run(cwd, ['backends']).status, 1);
  });

  it('says which names of variables are an error', (t) => {
    const cwd = makeProject(t, { 'app.py': WSGI_APP });
    const env = { ...process.env, VIADUCT_WROKERS: '1' };
    assert.equal(spawnSync(process.execPath, [BIN, 'check'], { cwd, env }).status, 2);
  });
});
