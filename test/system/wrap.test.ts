import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { ask } from '../support/http-client.ts';
import { makeProject } from '../support/project.ts';
import { NO_PACKAGES, runViaduct, startViaduct } from '../support/viaduct.ts';
import { eventually } from '../support/wait.ts';

/** Answers with what the wrapper left in the environment, and how often the application was imported. */
const APP = `
import json, os, sys
def application(environ, start_response):
    start_response('200 OK', [])
    return [json.dumps({'wrapped': os.environ.get('WRAPPED'), 'agent': 'agent' in sys.modules, 'path': sys.path[0]}).encode()]
`;
/** Like the agents: a variable for the interpreter, and a module that it imports at its start. */
const WRAPPER = `#!/bin/sh
while [ "$1" != run ]; do WRAPPED="$WRAPPED[$1]"; shift; done
shift
export WRAPPED PYTHONPATH="$(dirname "$0")/agent"
echo "wrapper starts $1" >&2
exec "$@"
`;
const AGENT = "import agent, os\ndel os.environ['PYTHONPATH']\n";
const THREAD = 'import threading, time\nthreading.Thread(target=time.sleep, args=(600,), daemon=True).start()\n';

/** A directory with the programs \`wrapper\` and \`parent\`, which runs its command as a child. */
function programs(t: TestContext): string {
  const directory = makeProject(t, {
    wrapper: WRAPPER,
    parent: '#!/bin/sh\n"$@" &\ntrap "" TERM\nwait\n',
    'agent/sitecustomize.py': AGENT,
    'agent/agent.py': '',
  });
  for (const name of ['wrapper', 'parent']) chmodSync(join(directory, name), 0o755);
  return directory;
}

const FEW = ['--workers', '2', '--threads', '1', '--access-log', 'off'];

describe('a wrapped interpreter', { concurrency: 2 }, () => {
  it('is started by the command, with its arguments, and so is that of each release', async (t) => {
    const project = makeProject(t, { 'app.py': APP });
    const wrapper = join(programs(t), 'wrapper');
    const server = await startViaduct(t, ['serve', project, ...FEW, '--wrap', `${wrapper} --name "a b" run`]);
    const answer = async () => JSON.parse((await ask(server.port, '/')).body) as Record<string, unknown>;
    assert.deepEqual(await answer(), { wrapped: '[--name][a b]', agent: true, path: project });
    process.kill(server.pid, 'SIGHUP');
    await eventually('it has reloaded', () => server.output().includes('Reloaded in'));
    assert.deepEqual(await answer(), { wrapped: '[--name][a b]', agent: true, path: project });
    assert.equal(server.output().split('wrapper starts').length, 3);
  });

  it('is wrapped again if its application cannot be forked', async (t) => {
    const project = makeProject(t, { 'app.py': THREAD + APP });
    const wrapper = join(programs(t), 'wrapper');
    const server = await startViaduct(t, ['serve', project, ...FEW, '--wrap', `${wrapper} run`]);
    assert.equal((JSON.parse((await ask(server.port, '/')).body) as { agent: boolean }).agent, true);
    const starts = server.output().split('wrapper starts').length - 1;
    assert.equal(starts, process.platform === 'linux' ? 2 : 1);
  });

  it('may be the child of its wrapper, and ends with the server', async (t) => {
    const project = makeProject(t, { 'app.py': `import os\nopen('zygote', 'w').write(str(os.getpid()))\n${APP}` });
    const parent = join(programs(t), 'parent');
    const server = await startViaduct(t, ['serve', project, ...FEW, '--preload', '--wrap', parent]);
    assert.equal((await ask(server.port, '/')).status, 200);
    process.kill(server.pid, 'SIGHUP');
    await eventually('it has reloaded', () => server.output().includes('Reloaded in'));
    await server.stop();
    assert.deepEqual(await server.exited, { code: 0, signal: null });
  });

  it('has a program that is looked for beside the interpreter first, and then on the PATH', async (t) => {
    const bin = programs(t);
    const project = makeProject(t, { 'app.py': APP });
    const other = join(bin, 'other');
    mkdirSync(other);
    writeFileSync(join(other, 'wrapper'), '#!/bin/sh\nexit 9\n', { mode: 0o755 });
    const venv = join(bin, 'venv');
    const { code } = await runPython(['-m', 'venv', '--without-pip', venv]);
    assert.equal(code, 0);
    const args = ['serve', project, ...FEW, '--wrap', 'wrapper run'];
    const env = { PATH: `${bin}${delimiter}${process.env.PATH}` };
    const first = await startViaduct(t, args, { env });
    assert.match(first.output(), /wrapper starts/);
    await first.stop();
    writeFileSync(join(venv, 'bin/wrapper'), WRAPPER.replace('wrapper starts', 'venv starts'), { mode: 0o755 });
    const otherFirst = { PATH: `${other}${delimiter}${process.env.PATH}` };
    const second = await startViaduct(t, [...args, '--python', venv], { env: otherFirst });
    assert.match(second.output(), /venv starts/);
  });

  for (const [wrap, error] of [
    [
      'no-such-wrapper run',
      /Cannot wrap the interpreter in "no-such-wrapper": there is no such program in .+ or on the PATH/,
    ],
    ['./no/such run', /Cannot wrap the interpreter in "\.\/no\/such": there is no such program/],
    ['run "a', /Cannot use --wrap .*: it has a quote without its end/],
  ] as const) {
    it(`that cannot be started is an error: ${wrap}`, async (t) => {
      const project = makeProject(t, { 'app.py': APP });
      for (const command of ['serve', 'check']) {
        const { code, output } = await runViaduct(project, command, '--wrap', wrap, '--listen', '127.0.0.1:0');
        assert.equal(code, 2, output);
        assert.match(output, error);
      }
    });
  }

  it('whose wrapper ends without starting it is an error', async (t) => {
    const project = makeProject(t, { 'app.py': APP });
    const { code, output } = await runViaduct(project, 'serve', '--wrap', 'false', '--listen', '127.0.0.1:0');
    assert.equal(code, 1);
    assert.match(output, /Cannot start ".*": exit code 1/);
  });
});

describe('opentelemetry-instrument', () => {
  it('traces the requests of workers that were forked', { skip: NO_PACKAGES }, async (t) => {
    const app =
      "import os, time\nfrom flask import Flask\napp = Flask(__name__)\n@app.get('/')\ndef hello():\n    time.sleep(.3)\n    return str(os.getpid())\n";
    const project = makeProject(t, { 'app.py': app }, { venv: '.venv' });
    const env = { OTEL_TRACES_EXPORTER: 'console', OTEL_METRICS_EXPORTER: 'none', OTEL_LOGS_EXPORTER: 'none' };
    const args = ['serve', project, ...FEW, '--wrap', 'opentelemetry-instrument'];
    const server = await startViaduct(t, args, { env: { ...env, OTEL_BSP_SCHEDULE_DELAY: '100' } });
    assert.doesNotMatch(server.output(), /cannot share/); // its threads start before the application's import
    const workers = new Set<string>();
    await eventually('each worker has answered', async () => {
      for (const { body } of await Promise.all([ask(server.port, '/'), ask(server.port, '/')])) workers.add(body);
      return workers.size === 2;
    });
    await server.stop(); // what was not sent is sent by an exit function of OpenTelemetry
    const spans = server.output().match(/"http\.route": "\/"/g) ?? [];
    assert.ok(spans.length >= 2, server.output());
    assert.match(server.output(), /"kind": "SpanKind\.SERVER"/);
  });
});

async function runPython(args: readonly string[]): Promise<{ code: number | null }> {
  const { spawnSync } = await import('node:child_process');
  return { code: spawnSync('python3', args).status };
}
