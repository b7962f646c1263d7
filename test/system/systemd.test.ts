import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { ask } from '../support/http-client.ts';
import { makeProject } from '../support/project.ts';
import { accepts } from '../support/socket-client.ts';
import { BIN, ROOT } from '../support/viaduct.ts';
import { eventually, isRunning } from '../support/wait.ts';

const MANAGER = join(ROOT, 'test/support/service_manager.py');
const APP = `
import os
def application(environ, start_response):
    start_response("200 OK", [])
    names = ("LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES", "NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID")
    return [(" ".join(name for name in names if name in os.environ) or "none of them").encode()]
`;

interface Options {
  readonly sockets?: readonly string[];
  readonly abstract?: boolean;
  readonly watchdogUsec?: number;
  readonly args?: readonly string[];
}

// systemd exists on Linux only.
const tests = process.platform === 'linux' ? describe : () => {};
tests('a server that systemd starts', () => {
  for (const processes of [1, 2]) {
    it(`serves on the sockets that it receives, with processes = ${processes}`, async (t) => {
      const service = await startService(t, { sockets: ['web', 'admin'], args: ['--processes', `${processes}`] });
      await service.until(/serves project on /);
      assert.match(service.output(), /\(passed by systemd\)/);
      for (const port of service.ports) {
        assert.match(service.output(), new RegExp(`http://127\\.0\\.0\\.1:${port}\\b`));
        assert.equal((await ask(port, '/')).body, 'none of them', 'the application does not see the variables');
      }
    });

    it(`notifies when it serves, reloads and stops, with processes = ${processes}`, async (t) => {
      const service = await startService(t, { args: ['--processes', `${processes}`, '--listen', '127.0.0.1:0'] });
      await service.notified(/^READY=1$/m);
      process.kill(service.pid, 'SIGHUP');
      await service.notified(/^STATUS=Serving project; reloaded$/m);
      process.kill(service.pid, 'SIGTERM');
      assert.equal(await service.exited, 0);
      const messages = service.messages().map(({ text }) => text);
      const [ready, reloading, reloaded, stopping] = messages as [string, string, string, string];
      assert.equal(messages.length, 4, messages.join('\n--\n'));
      assert.match(
        ready,
        new RegExp(`^READY=1\nMAINPID=${service.pid}\nSTATUS=Serving project on http://127.0.0.1:\\d+$`),
      );
      assert.match(reloading, /^RELOADING=1\nMONOTONIC_USEC=[1-9]\d*\nEXTEND_TIMEOUT_USEC=\d+\nSTATUS=/);
      assert.match(reloaded, /^READY=1\n/);
      assert.match(stopping, /^STOPPING=1\nSTATUS=/);
      if (process.getuid?.() === 0) {
        for (const { sender } of service.messages()) assert.equal(sender, service.pid, 'the server is the sender');
      }
    });
  }

  it('reports the start of a reload on the monotonic clock, and its end even if it fails', async (t) => {
    const service = await startService(t, { args: ['--listen', '127.0.0.1:0', '--drain-delay-ms', '10min'] });
    await service.notified(/^READY=1$/m);
    writeFileSync(join(service.project, 'app.py'), 'raise ValueError("broken")\n');
    const before = process.hrtime.bigint() / 1000n;
    process.kill(service.pid, 'SIGHUP');
    await service.notified(/^READY=1\n[\s\S]*STATUS=Serving project; the reload failed$/m);
    const after = process.hrtime.bigint() / 1000n;
    const reloading = service.messages().find(({ text }) => text.startsWith('RELOADING=1\n'))?.text ?? '';
    const at = BigInt(/^MONOTONIC_USEC=(\d+)$/m.exec(reloading)?.[1] ?? 0);
    assert.ok(before <= at && at <= after, `${before} <= ${at} <= ${after}`);
    process.kill(service.pid, 'SIGTERM');
    await service.notified(/^STOPPING=1$/m);
    process.kill(service.pid, 'SIGHUP');
    process.kill(service.pid, 'SIGTERM');
    assert.equal(await service.exited, 143);
    assert.match(service.messages().at(-1)?.text ?? '', /^STOPPING=1\n/);
  });

  it('asks for more time while a reload watches the new release', async (t) => {
    const service = await startService(t, { args: ['--listen', '127.0.0.1:0', '--workers', '1'] });
    await service.notified(/^READY=1$/m);
    writeFileSync(join(service.project, 'viaduct.toml'), '[reload]\nwatch_ms = "7s"\n');
    process.kill(service.pid, 'SIGHUP');
    await service.notified(/^EXTEND_TIMEOUT_USEC=30000000$/);
    const texts = service.messages().map(({ text }) => text);
    assert.ok(
      texts.findLastIndex((text) => text.startsWith('RELOADING=1')) < texts.indexOf('EXTEND_TIMEOUT_USEC=30000000'),
    );
    await eventually('the reload is over', () => {
      const all = service.messages().map(({ text }) => text);
      return all.findLastIndex((text) => text.startsWith('READY=1')) > all.indexOf('EXTEND_TIMEOUT_USEC=30000000');
    });
    process.kill(service.pid, 'SIGTERM');
    assert.equal(await service.exited, 0);
    assert.match(service.messages().at(-1)?.text ?? '', /^STOPPING=1\n/);
  });

  it('serves only on the sockets in the setting listen', async (t) => {
    const service = await startService(t, { sockets: ['web', 'other'], args: ['--listen', 'systemd:web'] });
    await service.until(/serves project on /);
    const [web, other] = service.ports as [number, number];
    assert.equal((await ask(web, '/')).status, 200);
    assert.ok(!service.output().includes(`:${other} `) && service.output().includes(`:${web} `));
  });

  it('gives a route the requests of the socket that it names, over reloads', async (t) => {
    const service = await startService(t, {
      sockets: ['web', 'admin'],
      args: ['--listen', 'systemd:web', '--listen', 'systemd:admin'],
    });
    await service.until(/serves project on /);
    const [web, admin] = service.ports as [number, number];
    const route = '[[route]]\nlisten = "systemd:admin"\nrespond = { body = "admin" }\n';
    for (const reloads of [1, 2]) {
      writeFileSync(join(service.project, 'viaduct.toml'), route);
      process.kill(service.pid, 'SIGHUP');
      await eventually('it has reloaded', () => (service.output().match(/Reloaded in/g) ?? []).length === reloads);
      assert.equal((await ask(admin, '/')).body, 'admin');
      assert.equal((await ask(web, '/')).body, 'none of them');
    }
  });

  it('exits with 1 and names the sockets when listen names another one', async (t) => {
    const service = await startService(t, { sockets: ['web'], args: ['--listen', 'systemd:wbe'] });
    assert.equal(await service.exited, 1);
    assert.match(service.output(), /Cannot listen on "systemd:wbe": systemd passed only web/);
  });

  it('exits with 1 when listen names sockets and it receives none', async (t) => {
    const service = await startService(t, { args: ['--listen', 'systemd'] });
    assert.equal(await service.exited, 1);
    assert.match(service.output(), /Cannot listen on "systemd": systemd passed no socket/);
  });

  it('notifies the watchdog, at an abstract address too', async (t) => {
    const service = await startService(t, {
      abstract: true,
      watchdogUsec: 400_000,
      args: ['--listen', '127.0.0.1:0'],
    });
    await service.notified(/^READY=1/);
    await eventually(
      'three life signs came',
      () => service.messages().filter(({ text }) => text === 'WATCHDOG=1').length >= 3,
    );
  });

  it('names the server process that is stuck, and notifies the watchdog again when it is not', async (t) => {
    const args = ['--listen', '127.0.0.1:0', '--processes', '2'];
    const service = await startService(t, { watchdogUsec: 400_000, args });
    await service.notified(/^WATCHDOG=1$/);
    const serverProcess = await service.child(/cluster\/process-main/);
    process.kill(serverProcess, 'SIGSTOP');
    t.after(() => isRunning(serverProcess) && process.kill(serverProcess, 'SIGCONT'));
    await service.until(new RegExp(`Server processes do not respond.*\\b${serverProcess}\\b`));
    const before = service.messages().length;
    process.kill(serverProcess, 'SIGCONT');
    await eventually('the watchdog is notified', () => service.messages().length > before);
  });

  it('exits with 1 when all server processes have ended, so that systemd can start it again with its sockets', async (t) => {
    const service = await startService(t, { sockets: ['web'], args: ['--processes', '2'] });
    await service.until(/serves project on /);
    for (const serverProcess of await service.children(/cluster\/process-main/)) process.kill(serverProcess, 'SIGKILL');
    assert.equal(await service.exited, 1);
    assert.match(
      service.output(),
      /Cannot start new server processes: all have ended, and the inherited sockets are closed/,
    );
  });

  it('starts a server process again on a received socket while another process uses the socket', async (t) => {
    const service = await startService(t, { sockets: ['web'], args: ['--processes', '2'] });
    await service.until(/serves project on /);
    const [victim, other] = (await service.children(/cluster\/process-main/)) as [number, number];
    process.kill(victim, 'SIGKILL');
    await service.until(/a new one follows/);
    await eventually(
      'there are two',
      async () => (await service.children(/cluster\/process-main/)).filter((pid) => pid !== victim).length === 2,
    );
    process.kill(other, 'SIGSTOP');
    const answer = ask(service.ports[0] as number, '/').finally(() => process.kill(other, 'SIGCONT'));
    assert.equal((await answer).body, 'none of them');
  });

  it('leaves no helper running when it is killed', async (t) => {
    const service = await startService(t, { args: ['--listen', '127.0.0.1:0'] });
    await service.notified(/^READY=1/);
    const helper = await service.child(/notify\.py/);
    process.kill(service.pid, 'SIGKILL');
    await eventually('the helper has ended', () => !isRunning(helper));
  });

  it('leaves no server process running that holds the sockets when it is killed', async (t) => {
    const service = await startService(t, { sockets: ['web'], args: ['--processes', '2'] });
    await service.until(/serves project on /);
    const [port] = service.ports as [number];
    const pids = await service.children(/cluster\/process-main/);
    process.kill(service.pid, 'SIGKILL');
    await eventually('the server processes have ended', () => pids.every((pid) => !isRunning(pid)));
    await service.exited;
    await eventually('the port is closed', async () => !(await accepts(port)));
  });
});

/** Starts the program below a Python program that acts as systemd. */
async function startService(t: TestContext, { sockets = [], abstract, watchdogUsec, args = [] }: Options) {
  const project = makeProject(t, { 'app.py': APP });
  const command = [process.execPath, BIN, ...args, '--workers', '1', '--access-log', 'off'];
  const options = { sockets, command, abstract: abstract === true, watchdog_usec: watchdogUsec ?? 0 };
  const env = { ...process.env };
  delete env.VIADUCT_LISTEN;
  const manager = spawn('python3', [MANAGER, JSON.stringify(options)], {
    cwd: project,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [manager.stdout, manager.stderr]) stream.on('data', (block) => (output += block));
  const exited = new Promise<number | null>((resolve) => manager.once('close', (code) => resolve(code)));
  const until = (pattern: RegExp) =>
    eventually(`${pattern} in the output`, () => {
      if (!pattern.test(output) && manager.exitCode !== null) throw new Error(`ended before ${pattern}: ${output}`);
      return pattern.test(output);
    });
  await until(/^PID \d+$/m);
  const pid = Number(/^PID (\d+)$/m.exec(output)?.[1]);
  t.after(async () => {
    if (manager.exitCode === null && isRunning(pid)) process.kill(pid, 'SIGTERM');
    await exited;
  });
  const messages = () =>
    [...output.matchAll(/^NOTIFY (.+)$/gm)].map(
      ([, json]) => JSON.parse(json as string) as { sender: number; text: string },
    );
  const children = async (pattern: RegExp) => {
    const { stdout } = await text('ps', ['-o', 'pid=,args=', '--ppid', `${pid}`]);
    return stdout
      .split('\n')
      .filter((line) => pattern.test(line))
      .map((line) => Number.parseInt(line, 10));
  };
  return {
    pid,
    project,
    ports: (/^PORTS ?(.*)$/m.exec(output)?.[1] ?? '').split(' ').filter(Boolean).map(Number),
    output: () => output,
    exited,
    until,
    messages,
    notified: (pattern: RegExp) =>
      eventually(`${pattern} is notified`, () => messages().some(({ text }) => pattern.test(text))),
    children,
    child: async (pattern: RegExp) => (await children(pattern))[0] as number,
  };
}

async function text(command: string, args: readonly string[]): Promise<{ stdout: string }> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let stdout = '';
  child.stdout.on('data', (block) => (stdout += block));
  await new Promise((resolve) => child.once('close', resolve));
  return { stdout };
}
