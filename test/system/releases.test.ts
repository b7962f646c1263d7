import assert from 'node:assert/strict';
import { chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { ask } from '../support/http-client.ts';
import { djangoFiles, makeProject } from '../support/project.ts';
import { NO_PACKAGES, PYTHON_WITH_PACKAGES, startViaduct, type Viaduct } from '../support/viaduct.ts';
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

  const MIDDLEWARE = 'middleware = ["./middleware.ts"]\n';
  const marked = (end: string): string =>
    `import { writeFileSync } from 'node:fs'; writeFileSync('hangs', '1');\n${end}`;
  const NEVER = 'await new Promise(() => {});';
  const served = (
    name: string,
  ): string => `const application = (_: unknown, startResponse: (status: string, headers: []) => void) => {
  startResponse('200 OK', []);
  return [new TextEncoder().encode('${name}')];
};
export { application };
`;
  const passing = 'export const middleware = (application: unknown) => application;\n';
  const django = (name: string, before = ''): Record<string, string> => ({
    ...djangoFiles(`import os, time\n${before}\nNAME = '${name}'`),
    'mysite/wsgi.py': version(name),
  });
  const tool = (command: string): string => `#!/bin/sh\n${command}\nexit 1\n`;
  /** The parts of a start that may never end, each with the files of a version. `-` is the one that hangs. */
  const parts: readonly (readonly [string, readonly string[], (name: string) => Record<string, string>])[] = [
    [
      'an import in TypeScript',
      ['app.ts'],
      (name) => ({ 'app.ts': (name === '-' ? marked(NEVER) : '') + served(name) }),
    ],
    [
      'the start of an application in TypeScript',
      ['app.ts', '--processes', '2'],
      (name) => ({
        'app.ts':
          served(name) +
          (name === '-' ? marked(`Object.assign(application, { start: () => new Promise(() => {}) });`) : ''),
      }),
    ],
    [
      'an import of middleware',
      [],
      (name) => ({
        'viaduct.toml': MIDDLEWARE,
        'middleware.ts': name === '-' ? marked(NEVER) + passing : passing,
        'app.py': version(name),
      }),
    ],
    [
      'a configuration in TypeScript',
      [],
      (name) => ({
        'viaduct.config.ts': `${name === '-' ? marked(NEVER) : ''}\nexport default {};`,
        'app.py': version(name),
      }),
    ],
    [
      'the settings of Django',
      ['--python', PYTHON_WITH_PACKAGES ?? ''],
      (name) => django(name, name === '-' ? HANG : ''),
    ],
    [
      'a tool that manages environments',
      [],
      (name) => ({
        'poetry.lock': '',
        'bin/poetry': tool(name === '-' ? 'echo 1 > hangs; exec sleep 600' : ''),
        'app.py': version(name),
      }),
    ],
  ];
  for (const [what, args, files] of parts) {
    const skip = what.includes('Django') ? NO_PACKAGES : false;
    it(`replaces one in which ${what} hangs, and the old one answers meanwhile`, { skip }, async (t) => {
      const project = makeProject(t, files('one'));
      const write = (name: string): void => {
        for (const [path, text] of Object.entries(files(name))) writeFileSync(join(project, path), text);
        if (what.startsWith('a tool')) chmodSync(join(project, 'bin/poetry'), 0o755);
      };
      write('one');
      const env = { PATH: `${join(project, 'bin')}:${process.env.PATH}`, VIRTUAL_ENV: '' };
      const server = await startViaduct(t, ['serve', ...args, '--workers', '1'], { cwd: project, env });
      write('-');
      process.kill(server.pid, 'SIGHUP');
      await hanging(project);
      for (let i = 0; i < 4; i += 1) assert.match((await ask(server.port, '/')).body, /^one/);
      write('three');
      await reload(server, /Reloaded in/);
      for (let i = 0; i < 4; i += 1) assert.match((await ask(server.port, '/')).body, /^three/);
    });
  }

  it('replaces one whose import hangs when a file changes in development', async (t) => {
    const project = makeProject(t, { 'app.py': version('one') });
    const server = await startViaduct(t, ['serve', project, '--workers', '1', '--dev', '--start-timeout-ms', '1h']);
    writeFileSync(join(project, 'app.py'), version('hanging', HANG));
    const pid = await hanging(project);
    writeFileSync(join(project, 'app.py'), version('three'));
    await eventually('the changed code serves', async () => /^three /.test((await ask(server.port, '/')).body));
    await eventually('the process that hung has ended', () => !isRunning(pid));
  });

  /** A Python that `signal` ends before it can take signals, at its first starts. */
  const endedEarly = (signal: string, starts: number, program: string): string => `#!/bin/sh
case "$1" in *${program})
  if [ -e signals ] && [ "$(wc -l < ended)" -lt ${starts} ]; then echo ${signal} >> ended; kill -${signal} $$; fi;;
esac
exec python3 "$@"
`;
  for (const signal of ['HUP', 'QUIT', 'USR1']) {
    it(`starts though SIG${signal} reaches the whole process group before Python can take it`, async (t) => {
      const project = makeProject(t, { 'app.py': version('one'), ended: '' });
      const python = join(project, 'python');
      for (const program of ['viaduct_worker', 'inspect_project.py']) {
        writeFileSync(join(project, 'ended'), '');
        writeFileSync(python, endedEarly(signal, 2, program));
        chmodSync(python, 0o755);
        const server = await startViaduct(t, ['serve', '--python', python, '--workers', '1'], { cwd: project });
        writeFileSync(join(project, 'signals'), '');
        await reload(server, /Reloaded in/);
        assert.equal(readFileSync(join(project, 'ended'), 'utf8'), `${signal}\n`.repeat(2), program);
        await server.stop();
        rmSync(join(project, 'signals'));
      }
    });
  }

  it('fails when a signal ends its Python at every start', async (t) => {
    const project = makeProject(t, { 'app.py': version('one'), ended: '' });
    const python = join(project, 'python');
    writeFileSync(python, endedEarly('USR1', 100, 'viaduct_worker'));
    chmodSync(python, 0o755);
    const server = await startViaduct(t, ['serve', '--python', python, '--workers', '1'], { cwd: project });
    writeFileSync(join(project, 'signals'), '');
    await reload(server, /Cannot reload, .*: Cannot start .*python.{1,2}: SIGUSR1/);
    assert.match((await ask(server.port, '/')).body, /^one /);
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
