import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { errorsOf, type Sources } from './project.ts';

interface Case extends Sources {
  readonly when: string;
  /** The exact message, without "Cannot use ". */
  readonly message: string;
}

const toml = (text: string): Sources => ({ files: { 'viaduct.toml': text } });
const NO_SUCH = 'there is no such setting';
const ADDRESS =
  'it must be 8000, HOST:PORT, [::1]:PORT, unix:PATH, fd:3 or systemd:NAME, or one of them behind https://, uwsgi://, fastcgi:// or scgi://';

const CASES: readonly Case[] = [
  {
    when: 'a flag has a value of the wrong kind',
    args: ['--workers', 'many'],
    message: '--workers "many": it must be a whole number from 1 to 256',
  },
  {
    when: 'a variable has a value out of its limits',
    env: { VIADUCT_BODY_BYTES_MAX: '2000GiB' },
    message: 'VIADUCT_BODY_BYTES_MAX="2000GiB": it must be a size from 0 to 1024GiB, such as 65536 or 64KiB',
  },
  {
    when: 'a file has a time as a text without a unit',
    ...toml('request_timeout_ms = "30"\n'),
    message:
      'request_timeout_ms = "30" (viaduct.toml:1): it has no unit: write 30 without quotes for milliseconds, or "30s" for seconds',
  },
  {
    when: 'the ends of a range in a file are reversed',
    ...toml('workers = { min = 5, max = 2 }\n'),
    message: 'workers_min = 5 (viaduct.toml:1): it is more than workers = 2 (viaduct.toml:1)',
  },
  {
    when: 'the ends of a range in two settings of a file are reversed',
    ...toml('workers_min = 5\nworkers = 2\n'),
    message: 'workers_min = 5 (viaduct.toml:1): it is more than workers = 2 (viaduct.toml:2)',
  },
  {
    when: 'a file has a value out of its limits',
    ...toml('threads = 2\nheader_timeout_ms = 1\n'),
    message: 'header_timeout_ms = 1 (viaduct.toml:2): it must be a time from 50ms to 1h, such as 500ms or 30s',
  },
  {
    when: 'a choice is unknown',
    args: ['--access-log=xml'],
    message: '--access-log "xml": it must be off, text, json or combined',
  },
  {
    when: 'a flag that says no has a value',
    args: ['--no-dev=yes'],
    message: '--no-dev "yes": it takes no value',
  },
  {
    when: 'chdir does not exist',
    args: ['--chdir', 'nowhere'],
    message: '--chdir "nowhere": it does not exist',
  },
  {
    when: 'chdir is a file',
    files: { 'viaduct.toml': 'chdir = "app.py"\n', 'app.py': '' },
    message: 'chdir = "app.py" (viaduct.toml:1): it is not a directory',
  },
  {
    when: 'one item of a list is invalid',
    ...toml('\nlisten = [\n  "8000",\n  "here:there",\n]\n'),
    message: `listen = "here:there" (viaduct.toml:2): ${ADDRESS}`,
  },
  {
    when: 'one item of a variable is invalid',
    env: { VIADUCT_LISTEN: '8000,there' },
    message: `VIADUCT_LISTEN="there": ${ADDRESS}`,
  },
  {
    when: 'the list of addresses is empty',
    ...toml('listen = []\n'),
    message:
      'listen = [] (viaduct.toml:1): it must have 8000, HOST:PORT, [::1]:PORT, unix:PATH, fd:3 or systemd:NAME, or one of them behind https://, uwsgi://, fastcgi:// or scgi://',
  },
  {
    when: 'a table of mounts has a number',
    ...toml('[static]\n"/s/" = "a"\n"/m/" = 5\n'),
    message: '"/m/" = 5 (viaduct.toml:3): it must be /url/=DIR',
  },
  {
    when: 'a setting is a table',
    ...toml('[threads]\nmax = 2\n'),
    message: 'threads = {"max":2} (viaduct.toml:1): it must be a whole number from 1 to 64',
  },
  {
    when: 'the minimum of workers is not a number',
    ...toml('threads = 1\n[workers]\nmax = 2\nmin = "few"\n'),
    message: 'workers.min = "few" (viaduct.toml:4): it must be a whole number from 0 to 256',
  },
  {
    when: 'the maximum of workers is out of range',
    ...toml('workers = { min = 0, max = 257 }\n'),
    message: 'workers.max = 257 (viaduct.toml:1): it must be a whole number from 1 to 256',
  },
  {
    when: 'a key of workers is misspelt',
    ...toml('workers = { mni = 1, max = 2 }\n'),
    message: 'workers.mni (viaduct.toml:1): there is no such key; did you mean min?',
  },
  {
    when: 'a key is misspelt in viaduct.toml',
    ...toml('# ours\nwrokers = 2\n'),
    message: `setting "wrokers" (viaduct.toml:2): ${NO_SUCH}; did you mean workers?`,
  },
  {
    when: 'a key is misspelt in pyproject.toml',
    files: { 'pyproject.toml': '[project]\nthreds = 1\n\n[tool.viaduct]\ndev = true\nthreds = 2\n' },
    message: `setting "threds" (pyproject.toml:6): ${NO_SUCH}; did you mean threads?`,
  },
  {
    when: 'a key is written like a flag',
    ...toml('access-log = "off"\n'),
    message: `setting "access-log" (viaduct.toml:1): ${NO_SUCH}; did you mean access_log?`,
  },
  {
    when: 'a key is the name in gunicorn',
    ...toml('bind = "0.0.0.0:8000"\n'),
    message: `setting "bind" (viaduct.toml:1): ${NO_SUCH}; did you mean listen?`,
  },
  {
    when: 'a key is the name in nginx',
    ...toml('client_max_body_size = "10m"\n'),
    message: `setting "client_max_body_size" (viaduct.toml:1): ${NO_SUCH}; did you mean body_bytes_max?`,
  },
  {
    when: 'a key is unlike all names',
    ...toml('colour = "blue"\n'),
    message: `setting "colour" (viaduct.toml:1): ${NO_SUCH}`,
  },
  {
    when: 'a key contains control characters',
    ...toml('"\\u001b[2J\\u009b" = 1\n'),
    message: `setting "\\u001b[2J\\u009b" (viaduct.toml:1): ${NO_SUCH}`,
  },
  {
    when: 'a variable is misspelt',
    env: { VIADUCT_WORKRES: '2' },
    message: `variable "VIADUCT_WORKRES": ${NO_SUCH}; did you mean VIADUCT_WORKERS?`,
  },
  {
    when: 'a variable is the name in other servers',
    env: { VIADUCT_PORT: '8000' },
    message: `variable "VIADUCT_PORT": ${NO_SUCH}; did you mean VIADUCT_LISTEN?`,
  },
  {
    when: 'a variable has only the prefix in common',
    env: { VIADUCT_FOO: '2' },
    message: `variable "VIADUCT_FOO": ${NO_SUCH}`,
  },
  {
    when: 'viaduct.toml names another settings file',
    ...toml('config = "other.toml"\n'),
    message: 'setting "config" (viaduct.toml:1): only --config and VIADUCT_CONFIG can name a settings file',
  },
  {
    when: 'viaduct.toml is written like a pyproject.toml',
    ...toml('[tool.viaduct]\nworkers = 2\n'),
    message:
      'setting "tool" (viaduct.toml:1): [tool.viaduct] belongs in pyproject.toml; here, write its keys at the top level',
  },
  {
    when: '[tool.viaduct] is not a table',
    files: { 'pyproject.toml': '[tool]\nviaduct = 5\n' },
    message: 'tool.viaduct (pyproject.toml:2): it must be a table, [tool.viaduct]',
  },
];

describe('an error in the settings', { concurrency: true }, () => {
  for (const { when, message, ...sources } of CASES) {
    it(`is reported with its location when ${when}`, async (t) => {
      assert.deepEqual(await errorsOf(t, sources), [`Cannot use ${message}`]);
    });
  }

  it('is reported together with all others, from every source', async (t) => {
    const lines = await errorsOf(t, {
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

  it('is reported even when a stronger source has a valid value', async (t) => {
    assert.equal((await errorsOf(t, { env: { VIADUCT_THREADS: 'x' }, args: ['--threads', '2'] })).length, 1);
  });

  it('is cut when it is long', async (t) => {
    const [line] = await errorsOf(t, { args: ['--workers', 'x'.repeat(5000)] });
    assert.ok(line !== undefined && line.length < 400 && line.includes('…'), line);
  });
});

describe('a settings file that cannot be read', { concurrency: true }, () => {
  const cases: readonly (Sources & { readonly when: string; readonly message: string })[] = [
    { when: 'it does not exist', args: ['--config', 'absent.toml'], message: '"absent.toml": there is no such file' },
    {
      when: 'a part of its path is a file',
      files: { file: '' },
      args: ['--config', 'file/absent.toml'],
      message: '"file/absent.toml": there is no such file',
    },
    {
      when: 'it is a directory',
      files: { 'dir/': '' },
      args: ['--config', 'dir'],
      message: '"dir": it is a directory',
    },
    {
      when: 'viaduct.toml is a directory',
      files: { 'viaduct.toml/': '' },
      message: '"viaduct.toml": it is a directory',
    },
    { when: 'it is a device', args: ['--config', '/dev/null'], message: '"/dev/null": it is not a regular file' },
    {
      when: 'it is huge',
      ...toml(`# ${'x'.repeat(1024 * 1024)}\n`),
      message: '"viaduct.toml": it is larger than 1 MiB',
    },
    {
      when: 'it is not UTF-8',
      files: { 'viaduct.toml': Buffer.from('# caf\xe9\n', 'latin1') },
      message: '"viaduct.toml": it is not UTF-8',
    },
    {
      when: 'a variable names it and it does not exist',
      env: { VIADUCT_CONFIG: 'absent.toml' },
      message: '"absent.toml": there is no such file',
    },
  ];
  for (const { when, message, ...sources } of cases) {
    it(`is named with the reason when ${when}`, async (t) => {
      assert.deepEqual(await errorsOf(t, sources), [`Cannot read settings file ${message}`]);
    });
  }

  it('is named with line and column when it is not TOML', async (t) => {
    const [line, ...more] = await errorsOf(t, toml('workers = 2\nthreads = = 3\n'));
    assert.match(line ?? '', /^Cannot read settings file "viaduct\.toml:2:1\d": \S.+$/);
    assert.deepEqual(more, []);
  });

  it('is named when pyproject.toml is not TOML', async (t) => {
    const [line] = await errorsOf(t, { files: { 'pyproject.toml': '[project\n' } });
    assert.match(line ?? '', /^Cannot read settings file "pyproject\.toml:1:\d+": /);
  });

  it('is named when it has a key twice', async (t) => {
    const [line] = await errorsOf(t, toml('workers = 2\nworkers = 3\n'));
    assert.match(line ?? '', /"viaduct\.toml:2:\d+"/);
  });
});
