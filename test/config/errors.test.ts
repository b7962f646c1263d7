import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { mistakesOf, type Sources } from './project.ts';

interface Case extends Sources {
  readonly when: string;
  /** The message, exactly: without "Cannot use ". */
  readonly says: string;
}

const toml = (text: string): Sources => ({ files: { 'viaduct.toml': text } });
const NO_SUCH = 'there is no such setting';
const ADDRESS =
  'it must be 8000, HOST:PORT, [::1]:PORT, unix:PATH, fd:3 or systemd:NAME, or one of them behind https://, uwsgi://, fastcgi:// or scgi://';

const CASES: readonly Case[] = [
  {
    when: 'a flag has a value of the wrong kind',
    args: ['--workers', 'many'],
    says: '--workers "many": it must be a whole number from 1 to 256',
  },
  {
    when: 'a variable has a value out of its limits',
    env: { VIADUCT_BODY_BYTES_MAX: '2000GiB' },
    says: 'VIADUCT_BODY_BYTES_MAX="2000GiB": it must be a size from 0 to 1024GiB, such as 65536 or 64KiB',
  },
  {
    when: 'a file has a value out of its limits',
    ...toml('threads = 2\nheader_timeout_ms = 1\n'),
    says: 'header_timeout_ms = 1 (viaduct.toml:2): it must be a time from 50ms to 1h, such as 500ms or 30s',
  },
  {
    when: 'a choice is none of them',
    args: ['--access-log=xml'],
    says: '--access-log "xml": it must be off, text, json or combined',
  },
  {
    when: 'a flag that says no has a value',
    args: ['--no-dev=yes'],
    says: '--no-dev "yes": it takes no value',
  },
  {
    when: 'chdir does not exist',
    args: ['--chdir', 'nowhere'],
    says: '--chdir "nowhere": it does not exist',
  },
  {
    when: 'chdir is a file',
    files: { 'viaduct.toml': 'chdir = "app.py"\n', 'app.py': '' },
    says: 'chdir = "app.py" (viaduct.toml:1): it is no directory',
  },
  {
    when: 'one item of a list is wrong',
    ...toml('\nlisten = [\n  "8000",\n  "here:there",\n]\n'),
    says: `listen = "here:there" (viaduct.toml:2): ${ADDRESS}`,
  },
  {
    when: 'one item of a variable is wrong',
    env: { VIADUCT_LISTEN: '8000,there' },
    says: `VIADUCT_LISTEN="there": ${ADDRESS}`,
  },
  {
    when: 'there is no address at all',
    ...toml('listen = []\n'),
    says: 'listen = [] (viaduct.toml:1): it must have 8000, HOST:PORT, [::1]:PORT, unix:PATH, fd:3 or systemd:NAME, or one of them behind https://, uwsgi://, fastcgi:// or scgi://',
  },
  {
    when: 'a table of mounts has something else',
    ...toml('[static]\n"/s/" = "a"\n"/m/" = 5\n'),
    says: '"/m/" = 5 (viaduct.toml:3): it must be /url/=DIR',
  },
  {
    when: 'a setting is a table',
    ...toml('[workers]\nmax = 2\n'),
    says: 'workers = {"max":2} (viaduct.toml:1): it must be a whole number from 1 to 256',
  },
  {
    when: 'a key is misspelt in viaduct.toml',
    ...toml('# ours\nwrokers = 2\n'),
    says: `setting "wrokers" (viaduct.toml:2): ${NO_SUCH}; did you mean workers?`,
  },
  {
    when: 'a key is misspelt in pyproject.toml',
    files: { 'pyproject.toml': '[project]\nthreds = 1\n\n[tool.viaduct]\ndev = true\nthreds = 2\n' },
    says: `setting "threds" (pyproject.toml:6): ${NO_SUCH}; did you mean threads?`,
  },
  {
    when: 'a key is written like a flag',
    ...toml('access-log = "off"\n'),
    says: `setting "access-log" (viaduct.toml:1): ${NO_SUCH}; did you mean access_log?`,
  },
  {
    when: 'a key is what gunicorn calls it',
    ...toml('bind = "0.0.0.0:8000"\n'),
    says: `setting "bind" (viaduct.toml:1): ${NO_SUCH}; did you mean listen?`,
  },
  {
    when: 'a key is what nginx calls it',
    ...toml('client_max_body_size = "10m"\n'),
    says: `setting "client_max_body_size" (viaduct.toml:1): ${NO_SUCH}; did you mean body_bytes_max?`,
  },
  {
    when: 'a key is near nothing',
    ...toml('colour = "blue"\n'),
    says: `setting "colour" (viaduct.toml:1): ${NO_SUCH}`,
  },
  {
    when: 'a key would move the cursor',
    ...toml('"\\u001b[2J\\u009b" = 1\n'),
    says: `setting "\\u001b[2J\\u009b" (viaduct.toml:1): ${NO_SUCH}`,
  },
  {
    when: 'a variable is misspelt',
    env: { VIADUCT_WORKRES: '2' },
    says: `variable "VIADUCT_WORKRES": ${NO_SUCH}; did you mean VIADUCT_WORKERS?`,
  },
  {
    when: 'a variable is what others call it',
    env: { VIADUCT_PORT: '8000' },
    says: `variable "VIADUCT_PORT": ${NO_SUCH}; did you mean VIADUCT_LISTEN?`,
  },
  {
    when: 'a variable has nothing in common but the beginning',
    env: { VIADUCT_FOO: '2' },
    says: `variable "VIADUCT_FOO": ${NO_SUCH}`,
  },
  {
    when: 'viaduct.toml names another settings file',
    ...toml('config = "other.toml"\n'),
    says: 'setting "config" (viaduct.toml:1): only --config and VIADUCT_CONFIG can name a settings file',
  },
  {
    when: 'viaduct.toml is written like a pyproject.toml',
    ...toml('[tool.viaduct]\nworkers = 2\n'),
    says: 'setting "tool" (viaduct.toml:1): [tool.viaduct] belongs in pyproject.toml; here its keys stand alone',
  },
  {
    when: '[tool.viaduct] is no table',
    files: { 'pyproject.toml': '[tool]\nviaduct = 5\n' },
    says: 'tool.viaduct (pyproject.toml:2): it must be a table, [tool.viaduct]',
  },
];

describe('a mistake in the settings', { concurrency: true }, () => {
  for (const { when, says, ...sources } of CASES) {
    it(`is told with its place when ${when}`, async (t) => {
      assert.deepEqual(await mistakesOf(t, sources), [`Cannot use ${says}`]);
    });
  }

  it('is told with all others, wherever they are', async (t) => {
    const lines = await mistakesOf(t, {
      files: { 'viaduct.toml': 'wrokers = 1\nthreads = 0\n', 'pyproject.toml': '[tool.viaduct]\nqueue_max = -1\n' },
      env: { VIADUCT_DEV: 'perhaps', VIADUCT_NOTHING_LIKE_IT: '1' },
      args: ['--bind', '8000', '--header-count-max', '0', '--static', 'x', 'app.py', 'more.py'],
    });
    const parts = [
      '--bind',
      '"more.py"',
      'NOTHING_LIKE_IT',
      'DEV',
      'header-count',
      'static',
      'queue_max',
      'wrokers',
      'threads',
    ];
    assert.equal(lines.length, parts.length, lines.join('\n'));
    for (const part of parts)
      assert.equal(lines.filter((line) => line.includes(part)).length, 1, `${part} in\n${lines.join('\n')}`);
  });

  it('is told even when a stronger source has it right', async (t) => {
    assert.equal((await mistakesOf(t, { env: { VIADUCT_THREADS: 'x' }, args: ['--threads', '2'] })).length, 1);
  });

  it('is shown in part when it is long', async (t) => {
    const [line] = await mistakesOf(t, { args: ['--workers', 'x'.repeat(5000)] });
    assert.ok(line !== undefined && line.length < 400 && line.includes('…'), line);
  });
});

describe('a settings file that cannot be read', { concurrency: true }, () => {
  const cases: readonly (Sources & { readonly when: string; readonly says: string })[] = [
    { when: 'it does not exist', args: ['--config', 'absent.toml'], says: '"absent.toml": there is no such file' },
    {
      when: 'a part of its path is a file',
      files: { file: '' },
      args: ['--config', 'file/absent.toml'],
      says: '"file/absent.toml": there is no such file',
    },
    { when: 'it is a directory', files: { 'dir/': '' }, args: ['--config', 'dir'], says: '"dir": it is a directory' },
    {
      when: 'viaduct.toml is a directory',
      files: { 'viaduct.toml/': '' },
      says: '"viaduct.toml": it is a directory',
    },
    { when: 'it is a device', args: ['--config', '/dev/null'], says: '"/dev/null": it is no ordinary file' },
    {
      when: 'it is huge',
      ...toml(`# ${'x'.repeat(1024 * 1024)}\n`),
      says: '"viaduct.toml": it is larger than 1 MiB',
    },
    {
      when: 'it is not UTF-8',
      files: { 'viaduct.toml': Buffer.from('# caf\xe9\n', 'latin1') },
      says: '"viaduct.toml": it is not UTF-8',
    },
    {
      when: 'a variable names it and it does not exist',
      env: { VIADUCT_CONFIG: 'absent.toml' },
      says: '"absent.toml": there is no such file',
    },
  ];
  for (const { when, says, ...sources } of cases) {
    it(`is named, with the reason, when ${when}`, async (t) => {
      assert.deepEqual(await mistakesOf(t, sources), [`Cannot read settings file ${says}`]);
    });
  }

  it('is named with line and column when it is no TOML', async (t) => {
    const [line, ...more] = await mistakesOf(t, toml('workers = 2\nthreads = = 3\n'));
    assert.match(line ?? '', /^Cannot read settings file "viaduct\.toml:2:1\d": \S.+$/);
    assert.deepEqual(more, []);
  });

  it('is named when pyproject.toml is no TOML', async (t) => {
    const [line] = await mistakesOf(t, { files: { 'pyproject.toml': '[project\n' } });
    assert.match(line ?? '', /^Cannot read settings file "pyproject\.toml:1:\d+": /);
  });

  it('is named when a key stands twice', async (t) => {
    const [line] = await mistakesOf(t, toml('workers = 2\nworkers = 3\n'));
    assert.match(line ?? '', /"viaduct\.toml:2:\d+"/);
  });
});
