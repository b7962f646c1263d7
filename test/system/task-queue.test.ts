import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, it } from 'node:test';
import { ask } from '../support/http-client.ts';
import { readPage, sectionOf } from '../support/pages.ts';
import { makeProject } from '../support/project.ts';
import { linesOf } from '../support/sidecars.ts';
import { PYTHON_WITH_PACKAGES, runViaduct, startViaduct } from '../support/viaduct.ts';
import { eventually } from '../support/wait.ts';

const hasHuey = PYTHON_WITH_PACKAGES !== null && spawnSync(PYTHON_WITH_PACKAGES, ['-c', 'import huey']).status === 0;
const NO_HUEY = hasHuey || process.env.CI ? false : 'Huey is not installed in .setup/venv';

const SECTION = sectionOf(readPage('processes.md'), 'Task queues');
const block = (language: string): string =>
  new RegExp(`^\`\`\`${language}\n([\\s\\S]*?)^\`\`\`$`, 'm').exec(SECTION)?.[1] ?? '';

const APP = `
from tasks import send_mail
def application(environ, start_response):
    send_mail(environ['QUERY_STRING'])
    start_response('202 Accepted', [])
    return []
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
    const tasks = block('python').replace('    ...\n', task);
    assert.ok(tasks.includes(task));
    const files = { 'app.py': APP, 'tasks.py': tasks, 'viaduct.toml': block('toml') };
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
});
