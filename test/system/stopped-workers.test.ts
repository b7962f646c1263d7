import assert from 'node:assert/strict';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { ask, Pipeline, type PipelineAnswer } from '../support/http-client.ts';
import { eachTestLifetime } from '../support/lifetime.ts';
import { type MarkedViaduct, startMarked } from '../support/marks.ts';
import { makeProject } from '../support/project.ts';
import { startViaduct } from '../support/viaduct.ts';
import { eventually, isRunning } from '../support/wait.ts';

const CLIENTS = 64;
const TIMEOUT = ['--worker-timeout-ms', '1s'];

/** Answers with the pids of the worker and of the zygote. */
const PIDS = `
import os
def application(environ, start_response):
    start_response("200 OK", [])
    return [b"%d %d" % (os.getpid(), os.getppid())]
`;

describe('a process that was stopped', () => {
  const eachTest = eachTestLifetime();

  const stop = (pid: number): void => {
    process.kill(pid, 'SIGSTOP');
    eachTest.after(() => {
      if (isRunning(pid)) process.kill(pid, 'SIGKILL');
    });
  };

  /** Both workers have answered quickly, so that each lane gets several requests at once. Returns their pids. */
  const warmUp = async (server: MarkedViaduct): Promise<number[]> => {
    const pids = new Set<number>();
    await eventually('both workers have answered', async () => {
      const answers = await Promise.all(
        Array.from({ length: 16 }, (_, index) => ask(server.port, `/run/warm-${pids.size}-${index}/1`)),
      );
      for (const { body } of answers) pids.add(Number(body.split(' ')[1]));
      return pids.size === 2;
    });
    return [...pids];
  };

  it('is replaced when it is one of two workers, and every client gets an answer', async () => {
    const server = await startMarked(eachTest, ['--workers', '2', '--threads', '4', ...TIMEOUT]);
    const [stopped = 0] = await warmUp(server);
    const pipelines = await Promise.all(Array.from({ length: CLIENTS }, () => Pipeline.open(server.port)));
    await Promise.all(pipelines.map((pipeline, index) => pipeline.get(`/run/here-${index}`)));
    process.kill(server.viaduct.pid, 'SIGSTOP'); // so that it finds all requests at once
    stop(stopped);
    const answers = pipelines.map((pipeline, index) => pipeline.get(`/run/client-${index}`));
    await Promise.all(pipelines.map((pipeline) => pipeline.flushed()));
    process.kill(server.viaduct.pid, 'SIGCONT');
    const statuses = (await Promise.all(answers)).map(([answer]: PipelineAnswer[]) => answer?.status);
    assert.deepEqual(
      statuses.filter((status) => status !== 200 && status !== 502),
      [],
    );
    const starts = server.starts();
    statuses.forEach((status, index) => {
      // A request that the stopped worker had not started runs elsewhere, and none runs twice.
      if (status === 200) assert.equal(starts.get(`client-${index}`), 1, `client-${index}`);
    });
    assert.match(server.viaduct.output(), new RegExp(`pid ${stopped}\\) is killed: it does not respond`));
    await eventually('two workers answer again', async () => {
      const pids = new Set(
        (await Promise.all([1, 2, 3, 4].map((n) => ask(server.port, `/run/after-${n}/20`)))).map(
          ({ body }) => body.split(' ')[1],
        ),
      );
      return pids.size === 2 && !pids.has(`${stopped}`);
    });
    for (const pipeline of pipelines) pipeline.close();
  });

  it('is replaced when it is the only worker and has no request', async () => {
    const project = makeProject(eachTest, { 'app.py': PIDS });
    const server = await startViaduct(eachTest, ['serve', project, '--workers', '1', ...TIMEOUT]);
    const [worker = ''] = (await ask(server.port, '/')).body.split(' ');
    stop(Number(worker));
    await eventually('it is killed', () => !isRunning(Number(worker)));
    assert.notEqual((await ask(server.port, '/')).body.split(' ')[0], worker);
  });

  it('is replaced when it is the zygote, whose workers could not be replaced', async () => {
    const project = makeProject(eachTest, { 'app.py': PIDS });
    const server = await startViaduct(eachTest, ['serve', project, '--workers', '1', ...TIMEOUT]);
    const [worker = '', zygote = ''] = (await ask(server.port, '/')).body.split(' ');
    stop(Number(zygote));
    process.kill(Number(worker), 'SIGKILL');
    const answer = await ask(server.port, '/');
    assert.equal(answer.status, 200);
    assert.notEqual(answer.body.split(' ')[1], zygote);
    assert.match(server.output(), /The zygote is killed: it does not respond/);
  });

  it('is not killed when the server and all its processes were stopped for longer than the limit', async () => {
    const project = makeProject(eachTest, { 'app.py': PIDS });
    const server = await startViaduct(eachTest, ['serve', project, '--workers', '1', '--worker-timeout-ms', '500ms']);
    const pids = (await ask(server.port, '/')).body;
    const [worker, zygote] = pids.split(' ').map(Number) as [number, number];
    for (const pid of [server.pid, zygote, worker]) process.kill(pid, 'SIGSTOP');
    await new Promise((resolve) => setTimeout(resolve, 1500)); // nothing reports that time has passed for a stopped process
    for (const pid of [worker, zygote, server.pid]) process.kill(pid, 'SIGCONT');
    assert.equal((await ask(server.port, '/')).body, pids);
  });

  it('is replaced when it is a worker that never becomes ready', async () => {
    const project = makeProject(eachTest, {
      'app.py': `import os, time\nif os.path.exists("hang"):\n    open("hangs", "w").close()\n    time.sleep(600)\n${PIDS}`,
    });
    const args = ['serve', project, '--workers', '1', '--no-preload', '--start-timeout-ms', '5s'];
    const server = await startViaduct(eachTest, args);
    writeFileSync(join(project, 'hang'), '');
    process.kill(Number((await ask(server.port, '/')).body.split(' ')[0]), 'SIGKILL');
    await eventually('its successor hangs', () => existsSync(join(project, 'hangs')));
    rmSync(join(project, 'hang'));
    assert.equal((await ask(server.port, '/')).status, 200);
    assert.match(server.output(), /is killed: it was not ready after 5 s/);
  });

  it('does not keep requests when a worker only computes and lets other threads run', async () => {
    const server = await startMarked(eachTest, ['--workers', '1', '--threads', '2', '--worker-timeout-ms', '3s']);
    const answers = await Promise.all([ask(server.port, '/busy/one/5000'), ask(server.port, '/busy/two/5000')]);
    assert.deepEqual(
      answers.map(({ status }) => status),
      [200, 200],
    );
    assert.doesNotMatch(server.viaduct.output(), /is killed/);
  });
});
