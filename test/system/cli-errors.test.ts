import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { BIN } from '../support/viaduct.ts';

const APPLICATION = `
def application(environ, start_response):
    start_response("200 OK", [])
    return [b"hello"]
`;

interface ErrorCase {
  readonly when: string;
  readonly files?: Readonly<Record<string, string>>;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly code: 1 | 2;
  /** What the message says: the thing that is wrong, and its location. */
  readonly patterns: readonly RegExp[];
}

const GOOD = { 'app.py': APPLICATION };

const CASES: readonly ErrorCase[] = [
  { when: 'the path does not exist', args: ['serve', 'no/such/directory'], code: 1, patterns: [/no\/such\/directory/] },
  {
    when: 'the directory holds no application',
    files: { 'notes.txt': '' },
    args: ['serve', '.'],
    code: 1,
    patterns: [/application/i],
  },
  {
    when: 'check finds no application',
    files: { 'notes.txt': '' },
    args: ['check', '.'],
    code: 1,
    patterns: [/application/i],
  },
  { when: 'the module does not exist', files: GOOD, args: ['nowhere:application'], code: 1, patterns: [/nowhere/] },
  { when: 'the module lacks the callable', files: GOOD, args: ['app:missing'], code: 1, patterns: [/missing/, /app/] },
  {
    when: 'the named object is not callable',
    files: { 'app.py': 'thing = 5\n' },
    args: ['app:thing'],
    code: 1,
    patterns: [/thing/],
  },
  {
    when: 'the interpreter does not exist',
    files: GOOD,
    args: ['serve', '.', '--python', '/no/python'],
    code: 1,
    patterns: [/\/no\/python/],
  },
  {
    when: 'the interpreter is something else',
    files: GOOD,
    args: ['serve', '.', '--python', '/bin/cat'],
    code: 1,
    patterns: [/\/bin\/cat/],
  },
  {
    when: 'there is no Python at all',
    files: GOOD,
    args: ['serve', '.'],
    env: { PATH: '/nowhere' },
    code: 1,
    patterns: [/Python/],
  },
  {
    when: 'a flag is misspelt',
    files: GOOD,
    args: ['serve', '.', '--wrokers', '2'],
    code: 2,
    patterns: [/--wrokers/, /--workers/],
  },
  { when: 'a flag lacks its value', files: GOOD, args: ['serve', '.', '--workers'], code: 2, patterns: [/--workers/] },
  {
    when: 'a flag has a value of the wrong kind',
    files: GOOD,
    args: ['serve', '.', '--workers', 'many'],
    code: 2,
    patterns: [/workers/, /many/],
  },
  {
    when: 'a number is out of its bounds',
    files: GOOD,
    args: ['serve', '.', '--workers', '-3'],
    code: 2,
    patterns: [/workers/, /-3/],
  },
  {
    when: 'a flag has a value that is none of its choices',
    files: GOOD,
    args: ['serve', '.', '--access-log', 'xml'],
    code: 2,
    patterns: [/access-log/, /xml/, /json/],
  },
  { when: 'there is a second path', files: GOOD, args: ['serve', '.', 'other'], code: 2, patterns: [/other/] },
  {
    when: 'an address makes no sense',
    files: GOOD,
    args: ['serve', '.', '--listen', 'here:there'],
    code: 2,
    patterns: [/here:there/],
  },
  {
    when: 'a port is too large',
    files: GOOD,
    args: ['serve', '.', '--listen', '127.0.0.1:70000'],
    code: 2,
    patterns: [/70000/],
  },
  {
    when: 'the directory of a socket is missing',
    files: GOOD,
    args: ['serve', '.', '--listen', 'unix:/no/such/dir/viaduct.sock'],
    code: 1,
    patterns: [/\/no\/such\/dir/],
  },
  {
    when: 'the address is not of this machine',
    files: GOOD,
    args: ['serve', '.', '--listen', '192.0.2.1:8000'],
    code: 1,
    patterns: [/192\.0\.2\.1/],
  },
  {
    when: 'a static mount makes no sense',
    files: GOOD,
    args: ['serve', '.', '--static', 'no-equals'],
    code: 2,
    patterns: [/no-equals/],
  },
  {
    when: 'the settings file is missing',
    files: GOOD,
    args: ['serve', '.', '--config', 'absent.toml'],
    code: 2,
    patterns: [/absent\.toml/],
  },
  {
    when: 'the settings file is no TOML',
    files: { ...GOOD, 'viaduct.toml': 'workers = 2\nthreads = = 3\n' },
    args: ['serve', '.'],
    code: 2,
    patterns: [/viaduct\.toml:2\b/],
  },
  {
    when: 'the settings file has an unknown key',
    files: { ...GOOD, 'viaduct.toml': '# ours\nthreads = 1\nwrokers = 2\n' },
    args: ['serve', '.'],
    code: 2,
    patterns: [/viaduct\.toml:3\b/, /wrokers/, /workers/],
  },
  {
    when: 'the settings file has a value of the wrong kind',
    files: { ...GOOD, 'viaduct.toml': 'workers = "two"\n' },
    args: ['serve', '.'],
    code: 2,
    patterns: [/viaduct\.toml:1\b/, /workers/, /two/],
  },
  {
    when: 'pyproject.toml has an unknown key for us',
    files: { ...GOOD, 'pyproject.toml': '[project]\nname = "x"\n\n[tool.viaduct]\nthreds = 2\n' },
    args: ['serve', '.'],
    code: 2,
    patterns: [/pyproject\.toml:5\b/, /threds/, /threads/],
  },
  {
    when: 'the environment has a value of the wrong kind',
    files: GOOD,
    args: ['serve', '.'],
    env: { VIADUCT_WORKERS: 'few' },
    code: 2,
    patterns: [/VIADUCT_WORKERS/, /few/],
  },
];

describe('errors of the command line and of the settings', { concurrency: 2 }, () => {
  let directory: string;

  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'viaduct-errors-'));
  });

  after(() => rmSync(directory, { recursive: true, force: true }));

  for (const [index, errorCase] of CASES.entries()) {
    it(`prints what is wrong and what to do when ${errorCase.when}`, async () => {
      const cwd = join(directory, String(index));
      writeFiles(cwd, errorCase.files ?? {});
      assertOneSentence(await viaduct(cwd, errorCase.args, errorCase.env), errorCase.code, errorCase.patterns);
    });
  }

  it('prints what is wrong and what to do when the port is in use', async () => {
    const cwd = join(directory, 'port');
    writeFiles(cwd, GOOD);
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const address = other.address();
    assert.ok(address !== null && typeof address === 'object');
    try {
      const result = await viaduct(cwd, ['serve', '.', '--listen', `127.0.0.1:${address.port}`]);
      assertOneSentence(result, 1, [new RegExp(`127\\.0\\.0\\.1:${address.port}`), /in use/]);
    } finally {
      other.close();
    }
  });

  it('prints what is wrong and what to do when the virtual environment is broken', async () => {
    const cwd = join(directory, 'venv');
    writeFiles(cwd, { ...GOOD, '.venv/pyvenv.cfg': 'home = /no/longer/there\n' });
    mkdirSync(join(cwd, '.venv/bin'));
    symlinkSync('/no/longer/there/python3', join(cwd, '.venv/bin/python'));
    assertOneSentence(await viaduct(cwd, ['serve', '.']), 1, [/\.venv/]);
  });

  it('prints what is wrong and what to do when the interpreter is too old', async () => {
    const cwd = join(directory, 'old');
    writeFiles(cwd, { ...GOOD, python2: '#!/bin/sh\necho "SyntaxError: invalid syntax" >&2\nexit 1\n' });
    chmodSync(join(cwd, 'python2'), 0o755);
    assertOneSentence(await viaduct(cwd, ['serve', '.', '--python', join(cwd, 'python2')]), 1, [/python2/]);
  });

  it('prints its version and exits with 0 when it gets --version', async () => {
    const result = await viaduct(directory, ['--version']);
    assert.equal(result.code, 0);
    assert.match(result.stdout, /^(viaduct )?\d+\.\d+\.\d+\n$/);
  });

  it('prints its help and exits with 0 when it gets --help', async () => {
    const result = await viaduct(directory, ['--help']);
    assert.equal(result.code, 0);
    for (const flag of [
      '--listen',
      '--workers',
      '--threads',
      '--python',
      '--static',
      '--access-log',
      '--config',
      '--dev',
    ]) {
      assert.ok(result.stdout.includes(flag), `${flag} is missing in:\n${result.stdout}`);
    }
    assert.equal(result.stderr, '');
  });
});

interface Result {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Asserts that the output has one or two short paragraphs, what is wrong and what to do: no stack, no traceback. Checks the exit code. */
function assertOneSentence(result: Result, code: 1 | 2, patterns: readonly RegExp[]): void {
  const all = `${result.stdout}${result.stderr}`;
  assert.equal(result.code, code, all);
  for (const pattern of patterns) assert.match(result.stderr, pattern);
  assert.doesNotMatch(all, /^\s+at .+:\d+:\d+\)?$/m, 'a stack trace');
  assert.doesNotMatch(all, /Traceback|node:internal|\[object|undefined|ViaductError/, all);
  const lines = result.stderr.trim().split('\n');
  assert.ok(lines.length <= 6, `the message has ${lines.length} lines:\n${result.stderr}`);
  assert.match(lines[0] as string, /^\S.*\w.*[.:]?$/);
}

async function viaduct(
  cwd: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Result> {
  const child = spawn(process.execPath, [BIN, ...args], {
    cwd,
    env: { ...process.env, VIRTUAL_ENV: '', VIADUCT_LISTEN: '127.0.0.1:0', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 60_000,
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (block: Buffer) => {
    stdout += block.toString('utf8');
  });
  child.stderr.on('data', (block: Buffer) => {
    stderr += block.toString('utf8');
  });
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, stdout, stderr };
}

function writeFiles(directory: string, files: Readonly<Record<string, string>>): void {
  mkdirSync(directory, { recursive: true });
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, name)), { recursive: true });
    writeFileSync(join(directory, name), text);
  }
}
