import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { ask } from '../support/http-client.ts';
import { missing } from '../support/peer.ts';
import { makeProject } from '../support/project.ts';
import { startViaduct } from '../support/viaduct.ts';
import { eventually } from '../support/wait.ts';

const APP = `import os

def application(environ, start_response):
    start_response('200 OK', [])
    return [b'%d %d' % (os.getppid(), os.getpid())]
`;

describe('a server without file descriptors', { skip: missing('prlimit') }, () => {
  it('starts the application again as soon as there are some, after its zygote has died', async (t) => {
    const server = await startViaduct(t, ['--workers', '1'], { cwd: makeProject(t, { 'app.py': APP }) });
    const [zygote] = (await ask(server.port, '/')).body.split(' ').map(Number) as [number];
    const used = readdirSync(`/proc/${server.pid}/fd`).length;
    const hard = /^Max open files +\d+ +(\d+)/m.exec(readFileSync(`/proc/${server.pid}/limits`, 'latin1'))?.[1];
    const limit = (soft: number) => execFileSync('prlimit', ['--pid', `${server.pid}`, `--nofile=${soft}:${hard}`]);
    // What the zygote and its worker hold becomes free when they die, and is not enough for new ones.
    limit(Math.floor(used / 2));
    process.kill(zygote, 'SIGKILL');
    await eventually('it cannot be started', () => /EMFILE/.test(server.output()));
    limit(1024);
    await eventually('another application answers', async () => {
      const answer = await ask(server.port, '/').catch(() => null);
      return answer?.status === 200 && Number(answer.body.split(' ')[0]) !== zygote;
    });
    assert.doesNotMatch(server.output(), /Uncaught|TypeError/);
  });
});
