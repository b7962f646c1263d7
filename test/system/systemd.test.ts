import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { ask } from '../support/http-client.ts';
import { makeProject } from '../support/project.ts';
import { accepts, eventually, isRunning } from '../support/socket-client.ts';
import { BIN, ROOT } from '../support/viaduct.ts';

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

// systemd is Linux's.
const tests = process.platform === 'linux' ? describe : () => {};
tests('a server that systemd starts', () => {
  for (const fronts of [1, 2]) {
    it(`serves on the sockets that it was passed, with fronts = ${fronts}`, async (t) => {
      const service = await startService(t, { sockets: ['web', 'admin'], args: ['--fronts', `${fronts}`] });
      await service.until(/serves project on /);
      assert.match(service.output(), /\(passed by systemd\)/);
      for (const port of service.ports) {
        assert.match(service.output(), new RegExp(`http://127\\.0\\.0\\.1:${port}\\b`));
        assert.equal((await ask(port, '/')).body, 'none of them', 'the variables are kept from the application');
      }
    });

    it(`tells when it serves, reloads and stops, with fronts = ${fronts}`, async (t) => {
      const service = await startService(t, { args: ['--fronts', `${fronts}`, '--listen', '127.0.0.1:0'] });
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
      assert.match(reloading, /^RELOADING=1\nMONOTONIC_USEC=[1-9]\d*\nSTATUS=/);
      assert.match(reloaded, /^READY=1\n/);
      assert.match(stopping, /^STOPPING=1\nSTATUS=/);
      if (process.getuid?.() === 0) {
        for (const { sender } of service.messages()) assert.equal(sender, service.pid, 'the server is the sender');
      }
    });
  }

  it('serves only on the sockets that listen names', async (t) => {
    const service = await startService(t, { sockets: ['web', 'other'], args: ['--listen', 'systemd:web'] });
    await service.until(/serves project on /);
    const [web, other] = service.ports as [number, number];
    assert.equal((await ask(web, '/')).status, 200);
    assert.ok(!service.output().includes(`:${other} `) && service.output().includes(`:${web} `));
  });

  it('leaves with 1 and says which sockets there are when listen names another', async (t) => {
    const service = await startService(t, { sockets: ['web'], args: ['--listen', 'systemd:wbe'] });
    assert.equal(await service.exited, 1);
    assert.match(service.output(), /Cannot listen on "systemd:wbe": systemd passed only web/);
  });

  it('leaves with 1 when listen asks for sockets and none is passed', async (t) => {
    const service = await startService(t, { args: ['--listen', 'systemd'] });
    assert.equal(await service.exited, 1);
    assert.match(service.output(), /Cannot listen on "systemd": systemd passed no socket/);
  });

  it('gives life signs to the watchdog, at an abstract address too', async (t) => {
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

  it('says which front is stuck, and gives life signs again when it is not', async (t) => {
    const args = ['--listen', '127.0.0.1:0', '--fronts', '2'];
    const service = await startService(t, { watchdogUsec: 400_000, args });
    await service.notified(/^WATCHDOG=1$/);
    const front = await service.child(/fronts\/front/);
    process.kill(front, 'SIGSTOP');
    t.after(() => isRunning(front) && process.kill(front, 'SIGCONT'));
    await service.until(new RegExp(`Fronts do not respond.*\\b${front}\\b`));
    const before = service.messages().length;
    process.kill(front, 'SIGCONT');
    await eventually('the watchdog hears of it', () => service.messages().length > before);
  });

  it('ends with 1 when all its fronts are gone, so that systemd starts it anew with the sockets that it still holds', async (t) => {
    const service = await startService(t, { sockets: ['web'], args: ['--fronts', '2'] });
    await service.until(/serves project on /);
    for (const front of await service.children(/fronts\/front/)) process.kill(front, 'SIGKILL');
    assert.equal(await service.exited, 1);
    assert.match(
      service.output(),
      /Cannot start new fronts: all have ended, and with them the sockets that were passed/,
    );
  });

  it('starts a front anew on a passed socket while another has it', async (t) => {
    const service = await startService(t, { sockets: ['web'], args: ['--fronts', '2'] });
    await service.until(/serves project on /);
    const [victim, other] = (await service.children(/fronts\/front/)) as [number, number];
    process.kill(victim, 'SIGKILL');
    await service.until(/a new one follows/);
    await eventually(
      'there are two',
      async () => (await service.children(/fronts\/front/)).filter((pid) => pid !== victim).length === 2,
    );
    process.kill(other, 'SIGSTOP');
    const answer = ask(service.ports[0] as number, '/').finally(() => process.kill(other, 'SIGCONT'));
    assert.equal((await answer).body, 'none of them');
  });

  it('leaves no helper behind when it is killed', async (t) => {
    const service = await startService(t, { args: ['--listen', '127.0.0.1:0'] });
    await service.notified(/^READY=1/);
    const helper = await service.child(/notify\.py/);
    process.kill(service.pid, 'SIGKILL');
    await eventually('the helper is gone', () => !isRunning(helper));
  });

  it('leaves no front behind that holds the sockets when it is killed', async (t) => {
    const service = await startService(t, { sockets: ['web'], args: ['--fronts', '2'] });
    await service.until(/serves project on /);
    const [port] = service.ports as [number];
    const pids = await service.children(/fronts\/front/);
    process.kill(service.pid, 'SIGKILL');
    await eventually('the fronts are gone', () => pids.every((pid) => !isRunning(pid)));
    await service.exited;
    await eventually('nobody listens any more', async () => !(await accepts(port)));
  });
});

/** Starts the program below a Python that does what systemd does. */
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
