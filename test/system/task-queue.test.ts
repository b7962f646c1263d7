import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, it } from 'node:test';
import { ask } from '../support/http-client.ts';
import { readPage, sectionOf } from '../support/pages.ts';
import { freePort, missing, startPeer } from '../support/peer.ts';
import { makeProject } from '../support/project.ts';
import { besideStatus, linesOf } from '../support/sidecars.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { PYTHON_WITH_PACKAGES, runViaduct, startViaduct } from '../support/viaduct.ts';
import { eventually, isRunning } from '../support/wait.ts';

const hasHuey = PYTHON_WITH_PACKAGES !== null && spawnSync(PYTHON_WITH_PACKAGES, ['-c', 'import huey']).status === 0;
const NO_HUEY = hasHuey || process.env.CI ? false : 'Huey is not installed in .setup/venv';

const hasCelery =
  PYTHON_WITH_PACKAGES !== null && spawnSync(PYTHON_WITH_PACKAGES, ['-c', 'import celery']).status === 0;
const NO_CELERY = hasCelery || process.env.CI ? missing('redis-server') : 'Celery is not installed in .setup/venv';

/** The first block in this language below a heading of the page. */
const block = (heading: string, language: string): string =>
  new RegExp(`^\`\`\`${language}\n([\\s\\S]*?)^\`\`\`$`, 'm').exec(sectionOf(readPage('processes.md'), heading))?.[1] ??
  '';

const APP = `
from tasks import send_mail
def application(environ, start_response):
    send_mail(environ['QUERY_STRING'])
    start_response('202 Accepted', [])
    return []
`;

const SHOP = `
from flask import Flask
from tasks import send_mail
app = Flask(__name__)
@app.post('/mail/<address>')
def mail(address):
    send_mail.delay(address)
    return 'queued', 202
`;

describe('a task queue as a sidecar', () => {
  it('runs the tasks of the application, as the page about sidecars shows, and finishes them at a stop', {
    skip: NO_HUEY,
  }, async (t) => {
    const task = `    import time
    with open('notes', 'a') as notes: notes.write(f'start {address}\\n')
    time.sleep(1)
    with open('notes', 'a') as notes: notes.write(f'sent {address}\\n')
`;
    const tasks = block('Huey', 'python').replace('    ...\n', task);
    assert.ok(tasks.includes(task));
    const files = { 'app.py': APP, 'tasks.py': tasks, 'viaduct.toml': block('Huey', 'toml') };
    const project = makeProject(t, files, { venv: '.venv' });
    const server = await startViaduct(t, ['--workers', '1'], { cwd: project });
    assert.equal((await ask(server.port, '/?one')).status, 202);
    await eventually('the task has run', () => linesOf(project, 'notes').includes('sent one'));
    assert.equal((await runViaduct(project, 'reload')).code, 0);
    assert.equal((await ask(server.port, '/?two')).status, 202);
    await eventually('the task runs', () => linesOf(project, 'notes').includes('start two'));
    await server.stop();
    assert.ok(linesOf(project, 'notes').includes('sent two'), server.output());
  });

  it('is Celery with Redis, as the page about sidecars shows: it runs tasks, is started again, and stops with the server', {
    skip: NO_CELERY,
  }, async (t) => {
    const port = await freePort();
    const directory = temporaryDirectory(t);
    const args = ['--port', `${port}`, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', directory];
    await startPeer(t, 'redis-server', args, { ready: ({ output }) => /Ready to accept connections/.test(output()) });
    const note = (text: string) => `    with open('notes', 'a') as notes: notes.write(f'${text}\\n')\n`;
    const slow = `    import time\n    if address == 'slow': time.sleep(1)\n`;
    const page = block('Celery', 'python');
    const [head = '', first = '', second = ''] = page.replace(':6379/', `:${port}/`).split('    ...\n');
    assert.equal(page.split('    ...\n').length, 3);
    const tasks = `${head}${note('start {address}')}${slow}${note('sent {address}')}${first}${note('clean')}${second}`;
    const files = {
      'app.py': SHOP,
      'tasks.py': tasks.replace("'schedule': 3600.0", "'schedule': 1.0"),
      'viaduct.toml': block('Celery', 'toml'),
    };
    const project = makeProject(t, files, { venv: '.venv' });
    const server = await startViaduct(t, ['--workers', '1'], { cwd: project });
    const mail = async (address: string) =>
      assert.equal((await ask(server.port, `/mail/${address}`, { method: 'POST' })).status, 202);
    const has = (line: string) => eventually(line, () => linesOf(project, 'notes').includes(line));
    await mail('one');
    await has('sent one');
    await has('clean');
    const worker = async () => (await besideStatus(project)).sidecars.find(({ name }) => name === 'celery');
    const pid = (await worker())?.pid as number;
    process.kill(pid, 'SIGKILL');
    await eventually('it is started again', async () => ((await worker())?.pid ?? pid) !== pid);
    await mail('two');
    await has('sent two');
    assert.equal((await worker())?.restarts, 1);
    await mail('slow');
    await has('start slow');
    const pids = (await besideStatus(project)).sidecars.map((sidecar) => sidecar.pid as number);
    await server.stop();
    assert.ok(linesOf(project, 'notes').includes('sent slow'), server.output());
    for (const each of pids) assert.equal(isRunning(each), false);
  });
});
