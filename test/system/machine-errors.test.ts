import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { WSGI_APP } from '../support/project.ts';
import { BIN } from '../support/viaduct.ts';
import { eventually } from '../support/wait.ts';

/** A Python that every user may run. That of a version manager is in somebody's home. */
const PYTHON = '/usr/bin/python3';
/** No system has an entry for this number, so its user has no name and no home. */
const NUMBER = 54_321;

function whyNot(): string | false {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'only root can become another user';
  if (!existsSync(PYTHON)) return `there is no ${PYTHON}`;
  const readable = spawnSync(process.execPath, ['-e', `require('fs').accessSync(${JSON.stringify(BIN)})`], {
    uid: NUMBER,
    gid: NUMBER,
    cwd: '/',
  });
  return readable.status === 0 ? false : 'another user cannot run this program here';
}

const NO_MOUNTS =
  spawnSync('unshare', ['--mount', 'sh', '-c', 'mount -t tmpfs tmpfs /mnt']).status === 0
    ? false
    : 'this user cannot mount file systems';

interface Result {
  readonly status: number | null;
  readonly stderr: string;
}

/** A project that every user may read, outside of directories that belong to somebody. */
function makeReadable(t: TestContext, files: Readonly<Record<string, string>> = {}): string {
  const project = mkdtempSync('/tmp/viaduct-machine-');
  t.after(() => rmSync(project, { recursive: true, force: true }));
  chmodSync(project, 0o755);
  for (const [name, text] of Object.entries({ 'app.py': WSGI_APP, ...files })) {
    mkdirSync(dirname(join(project, name)), { recursive: true });
    writeFileSync(join(project, name), text, { mode: 0o644 });
  }
  return project;
}

/** Runs the program as the user without a name. */
function run(cwd: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): Result {
  const { status, stderr } = spawnSync(process.execPath, [BIN, ...args, '--listen', '127.0.0.1:0'], {
    cwd,
    uid: NUMBER,
    gid: NUMBER,
    env: { PATH: '/usr/bin:/bin', ...env },
    encoding: 'utf8',
    timeout: 60_000,
  });
  return { status, stderr };
}

describe('a machine that is not as expected is an error with a reason, and not a bug', {
  skip: whyNot(),
  concurrency: 2,
}, () => {
  for (const [what, variable, path, state] of [
    ['missing', 'TMPDIR', '/nowhere/at/all', 'there is no such directory'],
    ['relative', 'TMPDIR', 'tmp', 'it is not an absolute path'],
    ['a file', 'TMPDIR', '/etc/passwd', 'it is not a directory'],
    ['not writable', 'TMPDIR', '/etc', 'this user may not write to it'],
    ['read-only', 'TMPDIR', '/proc', /its file system is read-only|this user may not write to it/],
    ['missing', 'TMP', '/nowhere', 'there is no such directory'],
  ] as const) {
    for (const command of ['serve', 'check', 'web'])
      it(`${variable} is ${what}: ${command}`, (t) => {
        const project = makeReadable(t);
        const args = command === 'web' ? ['web', '--static', '/=.'] : [command, '--python', PYTHON];
        const { status, stderr } = run(project, args, { [variable]: path });
        assert.equal(status, 2, stderr);
        assert.match(stderr, new RegExp(`^viaduct: Cannot use ${variable} "${path}": `));
        assert.match(stderr, typeof state === 'string' ? new RegExp(`: ${state}\n`) : state);
      });
  }

  it('a Python that this user may not execute', (t) => {
    const project = makeReadable(t, { python: '#!/bin/sh\n' });
    mkdirSync(join(project, 'private'), { mode: 0o700 });
    symlinkSync(PYTHON, join(project, 'private/python'));
    for (const python of ['python', 'private/python']) {
      const { status, stderr } = run(project, ['--python', python]);
      assert.equal(status, 1, stderr);
      assert.match(stderr, /^viaduct: Cannot use Python ".*python": (this|its) user may not execute it/);
      assert.match(stderr, /Let this user read and execute it/);
    }
  });

  it('a virtual environment whose Python this user may not execute, or whose Python is gone', (t) => {
    for (const [target, mode, state] of [
      ['private/python', 0o700, /this user may not execute its Python/],
      ['none/python', 0o755, /its Python no longer exists/],
    ] as const) {
      const project = makeReadable(t, { '.venv/pyvenv.cfg': '' });
      mkdirSync(join(project, 'private'), { mode });
      symlinkSync(PYTHON, join(project, 'private/python'));
      mkdirSync(join(project, '.venv/bin'), { mode: 0o755 });
      symlinkSync(join(project, target), join(project, '.venv/bin/python'));
      const { status, stderr } = run(project, ['check']);
      assert.equal(status, 1, stderr);
      assert.match(stderr, state);
    }
  });

  it('a Python or a project that the user of the setting may not use', (t) => {
    const project = makeReadable(t);
    mkdirSync(join(project, 'private'), { mode: 0o700 });
    writeFileSync(join(project, 'private/python'), '#!/bin/sh\n', { mode: 0o755 });
    const asRoot = (...args: string[]) =>
      spawnSync(process.execPath, [BIN, 'check', '--user', `${NUMBER}`, '--group', `${NUMBER}`, ...args], {
        cwd: project,
        encoding: 'utf8',
      });
    const forbidden = asRoot('--python', 'private/python');
    assert.equal(forbidden.status, 1, forbidden.stderr);
    assert.match(forbidden.stderr, /Cannot use Python ".*python": its user may not execute it\n/);
    chmodSync(project, 0o700);
    const closed = asRoot('--python', PYTHON);
    assert.equal(closed.status, 1, closed.stderr);
    assert.match(closed.stderr, /Cannot read the project in ".*viaduct-machine-\w+": PermissionError/);
  });

  it('a configuration or a project that this user may not read', (t) => {
    const project = makeReadable(t, { 'viaduct.toml': '' });
    chmodSync(join(project, 'viaduct.toml'), 0o600);
    const { status, stderr } = run(project, ['check', '--python', PYTHON]);
    assert.equal(status, 2, stderr);
    assert.match(stderr, /Cannot (read|use) .*viaduct\.toml/);
  });

  it('a user without a home directory, but only if a certificate has to be stored', (t) => {
    const project = makeReadable(t);
    const { status, stderr } = run(project, ['check', '--python', PYTHON]);
    assert.equal(status, 0, stderr);
    assert.equal(run(project, ['check']).status, 0);
    const certificate = run(project, ['web', '--static', '/=.', '--tls-self-signed']);
    assert.equal(certificate.status, 1, certificate.stderr);
    assert.match(certificate.stderr, /Cannot store a certificate: this user has no home directory/);
  });

  it('a user setting, when this user has no name', (t) => {
    const { status, stderr } = run(makeReadable(t), ['check', '--python', PYTHON, '--user', 'nobody']);
    assert.equal(status === 1 || status === 2, true, stderr);
    assert.doesNotMatch(stderr, /bug in Viaduct/);
  });

  it('a port below 1024', { skip: unprivilegedStart() <= 80 ? 'every user may bind port 80 here' : false }, (t) => {
    const { status, stderr } = run(makeReadable(t), ['web', '--static', '/=.', '--listen', '127.0.0.1:80']);
    assert.equal(status, 1, stderr);
    assert.match(stderr, /Ports below 1024 need privileges/);
  });

  it('a file of users that is missing or that this user may not read', (t) => {
    const route = (file: string): string =>
      `[[route]]\nmount = "/staff"\nbasic_auth = { file = "${file}" }\nstatic = "."\n`;
    const project = makeReadable(t, { 'viaduct.toml': route('missing') + route('private'), private: '' });
    chmodSync(join(project, 'private'), 0o600);
    for (const command of ['web', 'check']) {
      const { status, stderr } = run(project, [command]);
      assert.equal(status, 2, stderr);
      assert.match(stderr, /Cannot read users from ".*missing": ENOENT/);
      assert.match(stderr, /Cannot read users from ".*private": EACCES/);
    }
  });

  it('the socket of a dead process that this user may not remove', (t) => {
    const project = makeReadable(t);
    const path = leaveSocket(project);
    const { status, stderr } = run(project, ['web', '--static', '/=.', '--listen', `unix:${path}`]);
    assert.equal(status, 1, stderr);
    assert.match(
      stderr,
      /^viaduct: Cannot listen on "unix:.*stale\.sock": the socket .*, and this user may not remove it/,
    );
    assert.match(stderr, /Remove that file/);
  });

  it('a socket to which this user may not connect', (t) => {
    const project = makeReadable(t);
    const path = leaveSocket(project);
    chmodSync(path, 0o755);
    const { status, stderr } = run(project, ['web', '--static', '/=.', '--listen', `unix:${path}`]);
    assert.equal(status, 1, stderr);
    assert.match(stderr, /^viaduct: Cannot listen on "unix:.*stale\.sock": a socket .* may not connect to it/);
    assert.match(stderr, /If no program uses it, remove it/);
  });

  it('a directory for a socket that this user may not enter', (t) => {
    const project = makeReadable(t);
    mkdirSync(join(project, 'closed'), { mode: 0o700 });
    const path = join(project, 'closed', 'viaduct.sock');
    const { status, stderr } = run(project, ['web', '--static', '/=.', '--listen', `unix:${path}`]);
    assert.equal(status, 1, stderr);
    assert.match(stderr, /^viaduct: Cannot listen on "unix:.*": this user may not enter the directory/);
  });

  it('the socket of a dead process in a reload, which fails and blocks no later one', async (t) => {
    const project = makeReadable(t, { 'viaduct.toml': 'listen = ["127.0.0.1:0"]\nstatic = ["/=."]\n' });
    const settings = join(project, 'viaduct.toml');
    const child = spawn(process.execPath, [BIN, 'web', '--config', settings], {
      cwd: project,
      uid: NUMBER,
      gid: NUMBER,
      env: { PATH: '/usr/bin:/bin' },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    t.after(() => void child.kill('SIGKILL'));
    let output = '';
    child.stderr.on('data', (block) => {
      output += `${block}`;
    });
    const reload = async (listen: string, outcome: string): Promise<void> => {
      writeFileSync(settings, `listen = ["127.0.0.1:0"${listen}]\nstatic = ["/=."]\n`);
      child.kill('SIGHUP');
      await eventually(outcome, () => output.includes(outcome));
    };
    await eventually('it serves', () => output.includes(' serves '));
    await reload(`, "unix:${leaveSocket(project)}"`, 'and this user may not remove it');
    await reload('', 'Reloaded in');
  });

  for (const variable of ['RUNTIME_DIRECTORY', 'XDG_RUNTIME_DIR']) {
    for (const [what, options] of [
      ['read-only', 'ro,mode=700'],
      ['full', 'nr_inodes=1,mode=700'],
    ] as const) {
      it(`${variable} is on a ${what} file system: another place is used`, { skip: NO_MOUNTS }, (t) => {
        const project = makeReadable(t);
        const mount = join(project, 'run');
        mkdirSync(mount);
        const command = `mount -t tmpfs -o ${options} tmpfs ${mount} && exec "$0" "$@"`;
        const run = (TMPDIR: string) =>
          spawnSync('unshare', ['--mount', 'sh', '-c', command, process.execPath, BIN, 'check', '--python', PYTHON], {
            cwd: project,
            env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', [variable]: mount, TMPDIR },
            encoding: 'utf8',
            timeout: 60_000,
          });
        const { status, stderr } = run('/tmp');
        assert.equal(status, 0, stderr);
        if (what === 'read-only') return;
        const both = run(mount);
        assert.equal(both.status, 2, both.stderr);
        assert.match(both.stderr, /Cannot make a private directory in ".*run": ENOSPC/);
        assert.match(both.stderr, /Set TMPDIR to a directory that this user may write to and that has free space/);
      });
    }
  }

  for (const args of [['web', '--static', '/=.', '--processes', '2'], ['serve'], ['check']]) {
    it(`a limit of descriptors that is too low: ${args.join(' ')}`, (t) => {
      const project = makeReadable(t);
      const statuses: (number | null)[] = [];
      // How many suffice differs between versions of Node, and so does what fails first.
      for (let limit = 24; limit <= 60 && (statuses.at(-1) ?? 1) === 1; limit += 3) {
        const command = `ulimit -n ${limit}; exec "$0" "$@"`;
        const { status, stderr } = spawnSync('sh', ['-c', command, process.execPath, BIN, ...args], {
          cwd: project,
          env: { PATH: '/usr/bin:/bin' },
          encoding: 'utf8',
          timeout: 10_000,
        });
        statuses.push(status ?? 0);
        assert.doesNotMatch(stderr, /^ {4}at |bug in Viaduct/m, `no stack with ${limit}`);
        if (status !== null && status !== 0) assert.match(stderr, /^viaduct: Cannot .*/m, `a message with ${limit}`);
        if (statuses.length === 1) assert.match(stderr, /EMFILE/);
      }
      assert.equal(statuses[0], 1);
    });
  }
});

/** Makes a socket that every user may try to connect to, without a listening process, in a directory of root. */
function leaveSocket(directory: string): string {
  const path = join(directory, 'stale.sock');
  const script = `require('node:net').createServer().listen(process.argv[1], () => process.kill(process.pid, 'SIGKILL'))`;
  spawnSync(process.execPath, ['-e', script, path]);
  chmodSync(path, 0o777);
  return path;
}

/** The first port that every user may bind. */
function unprivilegedStart(): number {
  const { stdout } = spawnSync('cat', ['/proc/sys/net/ipv4/ip_unprivileged_port_start'], { encoding: 'utf8' });
  return stdout === '' ? 1024 : Number(stdout);
}
