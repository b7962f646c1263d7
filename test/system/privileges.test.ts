import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, cpSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { connect as connectHttp2 } from 'node:http2';
import { dirname, join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { ask } from '../support/http-client.ts';
import { makeProject } from '../support/project.ts';
import { accepts } from '../support/socket-client.ts';
import { BIN, ROOT, startViaduct } from '../support/viaduct.ts';
import { eventually } from '../support/wait.ts';

/** The import fails for root: not even discovery or `check` may run the code of the project with root's rights. */
const APPLICATION = `
import json, os
if os.geteuid() == 0:
    raise RuntimeError("imported by root")

def application(environ, start_response):
    with open("/proc/self/status") as file:
        lines = dict(line.rstrip("\\n").split(":\\t", 1) for line in file if line.startswith(("Uid", "Gid", "Groups", "PPid")))
    lines.update({name: os.environ.get(name) for name in ("HOME", "USER", "LOGNAME")})
    try:
        os.setuid(0)
        lines["root"] = True
    except PermissionError:
        lines["root"] = False
    start_response("200 OK", [])
    return [json.dumps(lines).encode()]
`;

/** A Node that other users may run. The Node of a version manager is in root's home. */
const PYTHON = '/usr/bin/python3';

// Without root there are no rights to give up, so there is nothing to test.
const tests = process.platform === 'linux' && process.getuid?.() === 0 ? describe : () => {};
tests('the rights of root', { skip: whyNot() }, () => {
  for (const processes of [1, 2]) {
    it(`are dropped by server processes and workers after port 81 is bound, with processes = ${processes}`, async (t) => {
      const project = makeReadable(t);
      const args = [
        '--processes',
        `${processes}`,
        '--user',
        'nobody',
        '--python',
        PYTHON,
        '--workers',
        '2',
        '--static',
        '/s/=.',
      ];
      const server = await startViaduct(t, args, { cwd: project, listen: '127.0.0.1:81' });
      assert.doesNotMatch(server.output(), /run as root/);
      assert.equal((await ask(server.port, '/s/app.py')).body, APPLICATION, 'this user serves files too');
      const { uid, gid } = idsOf('nobody');
      const worker = JSON.parse((await ask(server.port, '/')).body);
      assert.deepEqual(
        { uid: worker.Uid, gid: worker.Gid, root: worker.root, user: worker.USER, logname: worker.LOGNAME },
        { uid: four(uid), gid: four(gid), root: false, user: 'nobody', logname: 'nobody' },
      );
      assert.ok(!worker.Groups.split(' ').includes('0'), `root's groups are gone: ${worker.Groups}`);
      assert.notEqual(worker.HOME, process.env.HOME);
      const zygote = statusOf(Number(worker.PPid));
      assert.equal(zygote.Uid, four(uid));
      const serverProcess = statusOf(Number(zygote.PPid));
      assert.deepEqual([serverProcess.Uid, serverProcess.Gid], [four(uid), four(gid)]);
      assert.ok(!serverProcess.Groups?.split(' ').includes('0'));
    });
  }

  for (const processes of [1, 2]) {
    it(`are dropped by sidecars, with processes = ${processes}`, async (t) => {
      const project = makeReadable(t);
      const command = 'command = ["sh", "-c", "echo $USER $HOME; exec sleep 600"]';
      writeFileSync(join(project, 'viaduct.toml'), `[[process]]\nname = "own"\n${command}\n`);
      const args = ['--processes', `${processes}`, '--user', 'nobody', '--python', PYTHON, '--workers', '2'];
      const server = await startViaduct(t, args, { cwd: project });
      await eventually('it has started', () => /"message":"nobody /.test(server.output()));
      const pid = Number(/sidecar own \(pid (\d+)\)/.exec(server.output())?.[1]);
      const { uid, gid } = idsOf('nobody');
      const { Uid, Gid, Groups, PPid } = statusOf(pid);
      assert.deepEqual([Uid, Gid, Groups?.split(' ').includes('0')], [four(uid), four(gid), false]);
      assert.equal(statusOf(Number(PPid)).Uid, four(uid), 'its keeper');
      await server.stop();
      await eventually('it has ended', () => !existsSync(`/proc/${pid}`));
    });
  }

  it('are not used for a new release or a new server process', async (t) => {
    const project = makeReadable(t);
    const args = ['--processes', '2', '--user', 'nobody', '--python', PYTHON, '--workers', '2'];
    const server = await startViaduct(t, args, { cwd: project, listen: '127.0.0.1:81' });
    process.kill(server.pid, 'SIGHUP');
    await eventually('the server has reloaded', () => /Reloaded in/.test(server.output()));
    const uid = four(idsOf('nobody').uid);
    assert.equal(JSON.parse((await ask(server.port, '/')).body).Uid, uid);
    const { stdout } = spawnSync('ps', ['-o', 'pid=', '--ppid', `${server.pid}`], { encoding: 'utf8' });
    for (const pid of stdout.trim().split('\n').map(Number)) process.kill(pid, 'SIGKILL');
    // Until the primary has seen both ends, it holds their socket, which it then closes.
    await eventually('the primary knows', () => server.output().split('a new one follows').length === 3);
    await eventually('new processes have bound the port', () => accepts(81));
    const after = JSON.parse((await ask(server.port, '/')).body);
    assert.equal(after.Uid, uid);
    assert.ok(!stdout.includes(`${statusOf(Number(after.PPid)).PPid}`), 'a new server process answers');
  });

  it('are dropped although the new user cannot read the program: HTTP/2 and the control socket work', async (t) => {
    const project = makeReadable(t);
    const own = makeProject(t, {});
    chmodSync(own, 0o700);
    for (const name of ['bin', 'dist', 'python', 'package.json'])
      cpSync(join(ROOT, name), join(own, name), { recursive: true });
    const control = makeReadable(t);
    chownSync(control, Number(idsOf('nobody').uid), 0);
    const args = ['web', '--user', 'nobody', '--static', '/=.', '--control', join(control, 'socket')];
    const server = await startViaduct(t, args, { cwd: project, program: join(own, 'bin/viaduct.js') });
    const client = connectHttp2(server.url);
    t.after(() => client.destroy());
    const stream = client.request({ ':path': '/app.py' });
    const [fields] = await once(stream, 'response');
    assert.equal(fields[':status'], 200);
    assert.ok(existsSync(join(control, 'socket')));
  });

  it('are dropped for a numeric user and a group of its own', async (t) => {
    const project = makeReadable(t);
    const args = ['--user', '54321', '--group', 'nogroup', '--python', PYTHON, '--workers', '1'];
    const server = await startViaduct(t, args, { cwd: project });
    const worker = JSON.parse((await ask(server.port, '/')).body);
    const gid = idsOf('nobody').gid;
    assert.deepEqual([worker.Uid, worker.Gid, worker.Groups.trim()], [four('54321'), four(gid), gid]);
  });

  it('are not used by check', (t) => {
    const project = makeReadable(t);
    const args = [BIN, 'check', project, '--user', 'nobody', '--python', PYTHON];
    const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
    assert.equal(status, 0, stderr);
  });

  it('cause a warning when no user is set', (t) => {
    const project = makeReadable(t, 'def application(environ, start_response): ...\n');
    const { status, stdout } = spawnSync(process.execPath, [BIN, 'check', project], { encoding: 'utf8' });
    assert.equal(status, 0);
    assert.match(stdout, /user +the workers run as root/);
  });

  for (const [args, message] of [
    [['--user', 'nobody-here'], 'Cannot run as user "nobody-here": there is no such user'],
    [['--user', 'nobody', '--group', 'no-such'], 'Cannot run as group "no-such": there is no such group'],
    [['--group', 'nogroup'], 'Cannot run as group "nogroup": no user is set'],
    [['--user', '54321'], 'Cannot run as user "54321": the system has no entry for it, and so no group'],
  ] as const) {
    it(`are an error with a reason for ${args.join(' ')}`, (t) => {
      const project = makeReadable(t);
      const { status, stderr } = spawnSync(process.execPath, [BIN, project, ...args], { encoding: 'utf8' });
      assert.equal(status, 2, stderr);
      assert.ok(stderr.includes(message), stderr);
    });
  }

  it('are needed only to become another user', (t) => {
    const project = makeReadable(t, 'def application(environ, start_response): ...\n');
    const { uid, gid } = idsOf('nobody');
    const asNobody = (user: string) => {
      const options = { uid: Number(uid), gid: Number(gid), encoding: 'utf8', env: { PATH: '/usr/bin:/bin' } } as const;
      const args = [BIN, 'check', project, '--user', user, '--python', PYTHON];
      return spawnSync(process.execPath, args, { ...options, cwd: project });
    };
    const other = asNobody('root');
    assert.equal(other.status, 2);
    assert.match(other.stderr, /Cannot run as user "root": only root can change it/);
    const same = asNobody('nobody');
    assert.equal(same.status, 0, same.stderr);
  });
});

function whyNot(): string | false {
  if (!existsSync(PYTHON)) return `there is no ${PYTHON}`;
  const program = [process.execPath, join(ROOT, 'python/viaduct_worker/worker.py')];
  const { uid, gid } = idsOf('nobody');
  const seen = program.every(
    (path) => spawnSync('test', ['-r', path], { uid: Number(uid), gid: Number(gid) }).status === 0,
  );
  return seen ? false : 'the user nobody cannot read this directory';
}

function makeReadable(t: TestContext, application = APPLICATION): string {
  const project = makeProject(t, { 'app.py': application });
  chmodSync(dirname(project), 0o755);
  return project;
}

function idsOf(user: string): { uid: string; gid: string } {
  const id = (flag: string) => spawnSync('id', [flag, user], { encoding: 'utf8' }).stdout.trim();
  return { uid: id('-u'), gid: id('-g') };
}

/** The user ids in /proc: real, effective, saved, file system. */
function four(id: string): string {
  return Array(4).fill(id).join('\t');
}

function statusOf(pid: number): Record<string, string> {
  const lines = readFileSync(`/proc/${pid}/status`, 'utf8').trimEnd().split('\n');
  return Object.fromEntries(lines.map((line) => line.split(':\t', 2) as [string, string]));
}
