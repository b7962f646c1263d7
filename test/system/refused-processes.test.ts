import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { ask } from '../support/http-client.ts';
import { makeProject } from '../support/project.ts';
import { startViaduct } from '../support/viaduct.ts';
import { eventually, isRunning } from '../support/wait.ts';

/** While there is a file `full`, the zygote can fork as little as at the limit of processes. */
const APP = `
import os
from viaduct_worker import disarm

fork = disarm.fork

def refused():
    if os.path.exists('full'):
        raise BlockingIOError(11, 'Resource temporarily unavailable')
    return fork()

disarm.fork = refused

def on_ready():
    pass

def application(environ, start_response):
    start_response('200 OK', [('Content-Type', 'text/plain')])
    return [str(os.getpid()).encode()]
`;

describe('at the limit of processes', () => {
  it('a worker that died is replaced later, and the others serve on', async (t) => {
    const project = makeProject(t, { 'app.py': APP });
    const server = await startViaduct(t, ['serve', project, '--workers', '2', '--threads', '1']);
    const pid = async () => Number((await ask(server.port, '/')).body);
    const pids = new Set<number>();
    await eventually('both have answered', async () => {
      for (const answered of await Promise.all([pid(), pid(), pid(), pid()])) pids.add(answered);
      return pids.size === 2;
    });
    const [dead, alive] = [...pids] as [number, number];
    writeFileSync(join(project, 'full'), '');
    process.kill(dead, 'SIGKILL');
    await eventually('the refusal is reported', () =>
      /worker 3 died with exit code 1; a new one follows/.test(server.output()),
    );
    assert.match(server.output(), /worker 3 cannot start: the system refuses a further process: Resource/);
    assert.equal(await pid(), alive);
    rmSync(join(project, 'full'));
    await eventually('a new worker answers', async () => {
      const answered = await Promise.all([pid(), pid(), pid(), pid()]);
      return answered.some((other) => !pids.has(other));
    });
    assert.ok(isRunning(alive), 'the worker that was well has survived');
  });

  it('a release that has no workers does not start, and a hook that has no process is reported', async (t) => {
    const project = makeProject(t, { 'app.py': APP, full: '' });
    await assert.rejects(
      startViaduct(t, ['serve', project]),
      /Cannot start a worker: the system refuses a further process: Resource temporarily unavailable\. Raise the limit/,
    );
    rmSync(join(project, 'full'));
    const hooked = `${APP}\nfork_before, forks = refused, []\n\ndef once():\n    forks.append(1)\n    if len(forks) == 2:\n        raise BlockingIOError(11, 'Resource temporarily unavailable')\n    return fork_before()\n\ndisarm.fork = once\n`;
    const settings = 'workers = 1\n[hooks]\non_ready = ["app:on_ready"]\n';
    const server = await startViaduct(t, ['serve', makeProject(t, { 'app.py': hooked, 'viaduct.toml': settings })]);
    await eventually('the hook is reported', () =>
      /The application serves, but its hook on_ready cannot run: the system refuses/.test(server.output()),
    );
    assert.equal((await ask(server.port, '/')).status, 200);
  });
});
