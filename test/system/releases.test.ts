import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { ask } from '../support/http-client.ts';
import { makeProject } from '../support/project.ts';
import { startViaduct, type Viaduct } from '../support/viaduct.ts';
import { eventually, isRunning } from '../support/wait.ts';

/** An application that answers with its version and the pid of its zygote. `before` runs at its import. */
const version = (name: string, before = ''): string => `
import os, time
${before}
def application(environ, start_response):
    start_response("200 OK", [])
    return [b"${name} %d" % os.getppid()]
`;
/** Writes the pid of the importing process, and hangs in C code until the test is over. */
const HANG = 'with open("hangs", "w") as file: file.write(str(os.getpid()))\ntime.sleep(600)';

const SITES = `
[apps.one]
target = "one:application"
[apps.two]
target = "two:application"
[[route]]
mount = "/one"
app = "one"
[[route]]
mount = "/two"
app = "two"
`;

describe('a new release', { concurrency: 2 }, () => {
  const reload = async (server: Viaduct, outcome: RegExp): Promise<void> => {
    const before = server.output().length;
    process.kill(server.pid, 'SIGHUP');
    await eventually(`the reload is over: ${outcome}`, () => outcome.test(server.output().slice(before)));
  };

  const hanging = async (project: string): Promise<number> => {
    await eventually(
      'the import hangs',
      () => existsSync(join(project, 'hangs')) && readFileSync(join(project, 'hangs'), 'utf8') !== '',
    );
    return Number(readFileSync(join(project, 'hangs'), 'utf8'));
  };

  async function serveSites(t: TestContext, settings = ''): Promise<{ server: Viaduct; project: string }> {
    const project = makeProject(t, {
      'one.py': version('old'),
      'two.py': version('old'),
      'viaduct.toml': settings + SITES,
    });
    return { server: await startViaduct(t, ['serve'], { cwd: project }), project };
  }

  it('starts for all applications or for none', async (t) => {
    const { server, project } = await serveSites(t);
    const before = [(await ask(server.port, '/one/')).body, (await ask(server.port, '/two/')).body];
    writeFileSync(join(project, 'one.py'), version('new'));
    writeFileSync(join(project, 'two.py'), version('new', 'raise RuntimeError("broken release")'));
    await reload(server, /Cannot reload, the old configuration stays: application two: .*broken release/);
    assert.deepEqual([(await ask(server.port, '/one/')).body, (await ask(server.port, '/two/')).body], before);
    writeFileSync(join(project, 'two.py'), version('new'));
    await reload(server, /Reloaded in/);
    for (const path of ['/one/', '/two/']) assert.match((await ask(server.port, path)).body, /^new /);
  });

  it('does not serve when a later part of the reload fails', async (t) => {
    const { server, project } = await serveSites(t);
    const before = (await ask(server.port, '/one/')).body;
    writeFileSync(join(project, 'one.py'), version('new'));
    writeFileSync(join(project, 'broken.mjs'), 'export default function () { throw new Error("broken middleware"); }');
    writeFileSync(
      join(project, 'viaduct.toml'),
      SITES.replace('target = "one:application"', 'target = "one:application"\nmiddleware = ["./broken.mjs"]'),
    );
    await reload(server, /Cannot reload, the old configuration stays: .*broken middleware/);
    assert.equal((await ask(server.port, '/one/')).body, before);
  });

  it('leaves a removed application the time that the new configuration gives', async (t) => {
    const { server, project } = await serveSites(t, 'graceful_timeout_ms = "1h"\n');
    const zygote = Number((await ask(server.port, '/two/')).body.split(' ')[1]);
    writeFileSync(
      join(project, 'viaduct.toml'),
      `graceful_timeout_ms = "100ms"\n${SITES.replace(/\[apps\.two\]\n.*\n/, '').replace(/\[\[route\]\]\nmount = "\/two"\napp = "two"\n/, '')}`,
    );
    await reload(server, /Reloaded in/);
    await eventually('its zygote has ended', () => !isRunning(zygote));
  });

  it('replaces one whose import hangs', async (t) => {
    const project = makeProject(t, { 'app.py': version('one') });
    const server = await startViaduct(t, ['serve', project, '--workers', '1', '--start-timeout-ms', '1h']);
    writeFileSync(join(project, 'app.py'), version('hanging', HANG));
    process.kill(server.pid, 'SIGHUP');
    const pid = await hanging(project);
    assert.match((await ask(server.port, '/')).body, /^one /);
    writeFileSync(join(project, 'app.py'), version('three'));
    await reload(server, /Reloaded in/);
    assert.match((await ask(server.port, '/')).body, /^three /);
    assert.match(server.output(), /Cannot reload, .*: a later reload replaces this one/);
    await eventually('the process that hung has ended', () => !isRunning(pid));
  });

  it('replaces one whose import hangs in several server processes', async (t) => {
    const project = makeProject(t, { 'app.py': version('one') });
    const args = ['serve', project, '--workers', '2', '--processes', '2', '--start-timeout-ms', '1h'];
    const server = await startViaduct(t, args);
    writeFileSync(join(project, 'app.py'), version('hanging', HANG));
    process.kill(server.pid, 'SIGHUP');
    await hanging(project);
    writeFileSync(join(project, 'app.py'), version('three'));
    await reload(server, /Reloaded in/);
    for (let i = 0; i < 8; i += 1) assert.match((await ask(server.port, '/')).body, /^three /);
  });

  it('replaces one whose import hangs when a file changes in development', async (t) => {
    const project = makeProject(t, { 'app.py': version('one') });
    const server = await startViaduct(t, ['serve', project, '--workers', '1', '--dev', '--start-timeout-ms', '1h']);
    writeFileSync(join(project, 'app.py'), version('hanging', HANG));
    const pid = await hanging(project);
    writeFileSync(join(project, 'app.py'), version('three'));
    await eventually('the changed code serves', async () => /^three /.test((await ask(server.port, '/')).body));
    await eventually('the process that hung has ended', () => !isRunning(pid));
  });

  it('fails with a message when its import takes too long, and the old one continues', async (t) => {
    const project = makeProject(t, { 'app.py': version('one') });
    const server = await startViaduct(t, ['serve', project, '--workers', '1', '--start-timeout-ms', '5s']);
    writeFileSync(join(project, 'app.py'), version('hanging', HANG));
    await reload(server, /Cannot reload, the old configuration stays: .* it was not ready after 5 s/);
    assert.match((await ask(server.port, '/')).body, /^one /);
  });

  for (const flag of ['--preload', '--no-preload']) {
    it(`ends with the server that is killed while it imports, with ${flag}`, async (t) => {
      const project = makeProject(t, { 'app.py': version('hanging', HANG) });
      const server = await startViaduct(t, ['serve', project, '--workers', '1', flag], { awaitReady: false });
      const pid = await hanging(project);
      process.kill(server.pid, 'SIGKILL');
      await eventually('the process that imports has ended', () => !isRunning(pid));
    });
  }
});
