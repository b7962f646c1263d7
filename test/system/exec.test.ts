import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { djangoFiles, makeProject, WSGI_APP } from '../support/project.ts';
import { CTRL_C, linesOf, startTerminal } from '../support/sidecars.ts';
import { BIN, NO_PACKAGES, runViaduct } from '../support/viaduct.ts';
import { eventually } from '../support/wait.ts';

describe('viaduct exec', { concurrency: 2 }, () => {
  it('runs commands of Django with the Python, the variables and the directory of the project', {
    skip: NO_PACKAGES,
  }, async (t) => {
    const files = djangoFiles();
    const manage = `${files['manage.py']}execute_from_command_line(sys.argv)\n`;
    const project = makeProject(t, { ...files, 'manage.py': manage }, { venv: '.venv' });
    assert.match((await runViaduct(project, 'exec', 'manage.py', 'check')).output, /no issues/);
    const { code, output } = await runViaduct('/', 'exec', '--chdir', project, 'django-admin', 'check');
    assert.equal(code, 0, output);
    const show = 'import os, sys; print(sys.prefix, os.getcwd(), os.environ["DJANGO_SETTINGS_MODULE"])';
    const found = await runViaduct(project, 'exec', '--workers', '3', '--', 'python', '-c', show);
    assert.equal(found.output, `${project}/.venv ${project} mysite.settings\n`);
  });

  it('passes all words behind the command on, also those that look like flags of Viaduct', async (t) => {
    const project = makeProject(t, { 'app.py': WSGI_APP });
    const { code, output } = await runViaduct(project, 'exec', 'echo', '--help', '--workers', 'a  b', '--', '-V');
    assert.deepEqual({ code, output }, { code: 0, output: '--help --workers a  b -- -V\n' });
    assert.match((await runViaduct(project, 'exec', '--help')).output, /^Viaduct serves/);
  });

  it('has the exit code of the command, and dies of the same signal', async (t) => {
    const project = makeProject(t, { 'app.py': WSGI_APP });
    assert.equal((await runViaduct(project, 'exec', 'sh', '-c', 'exit 42')).code, 42);
    assert.equal((await runViaduct(project, 'exec', 'sh', '-c', 'kill -USR1 $$')).code, 138);
    const child = spawn(process.execPath, [BIN, 'exec', 'sh', '-c', 'echo here; exec sleep 600'], { cwd: project });
    let output = '';
    child.stdout.on('data', (block) => (output += `${block}`));
    await eventually('it runs', () => output === 'here\n');
    const ended = new Promise((resolve) => child.once('exit', (code, signal) => resolve([code, signal])));
    child.kill('SIGTERM');
    assert.deepEqual(await ended, [null, 'SIGTERM']);
  });

  it('reports a program that there is not with 127, and one that may not be executed with 126', async (t) => {
    const project = makeProject(t, { 'app.py': WSGI_APP, plain: 'text', bad: '#!/no/such/interpreter\n' });
    chmodSync(join(project, 'bad'), 0o755);
    const missing = await runViaduct(project, 'exec', 'no-such-program');
    assert.equal(missing.code, 127);
    assert.match(missing.output, /^viaduct: Cannot run "no-such-program": there is no such program in .*PATH\n/);
    assert.equal((await runViaduct(project, 'exec', './no-such-path')).code, 127);
    const plain = await runViaduct(project, 'exec', './plain');
    assert.equal(plain.code, 126);
    assert.match(plain.output, /this user may not execute it\nLet this user execute it: chmod \+x/);
    const bad = await runViaduct(project, 'exec', './bad');
    assert.equal(bad.code, 126);
    assert.match(bad.output, /the program that its first line names does not exist/);
    const none = await runViaduct(project, 'exec');
    assert.equal(none.code, 2);
    assert.match(none.output, /Cannot run a command: none is given\nWrite it behind the flags/);
    writeFileSync(join(project, 'viaduct.toml'), 'wrokers = 3\n');
    assert.match((await runViaduct(project, 'exec', 'true')).output, /viaduct\.toml:1.*did you mean workers/);
  });

  it('needs no application', async (t) => {
    const project = makeProject(t, { 'readme.txt': '' });
    const { code, output } = await runViaduct(project, 'exec', 'python', '-c', 'print("works")');
    assert.deepEqual({ code, output }, { code: 0, output: 'works\n' });
  });

  it('gives the command its standard input', async (t) => {
    const project = makeProject(t, { 'app.py': WSGI_APP });
    const child = spawn(process.execPath, [BIN, 'exec', 'tr', 'a-z', 'A-Z'], { cwd: project });
    let output = '';
    child.stdout.on('data', (block) => (output += `${block}`));
    child.stdin.end('abc');
    await new Promise((resolve) => child.once('close', resolve));
    assert.equal(output, 'ABC');
  });

  it('leaves the command its terminal and its Ctrl-C', async (t) => {
    const code = `
import os, sys, time
print('terminal', all(os.isatty(fd) for fd in (0, 1, 2)), flush=True)
count = 0
while count < 2:
    try:
        time.sleep(600)
    except KeyboardInterrupt:
        count += 1
        with open('notes', 'a') as notes: notes.write(f'interrupt {count}\\n')
sys.exit(9)
`;
    const project = makeProject(t, { 'app.py': WSGI_APP, 'wait.py': code });
    const terminal = startTerminal(t, [process.execPath, BIN, 'exec', 'wait.py'], project);
    await eventually('it runs', () => /terminal True/.test(terminal.output()));
    terminal.type(CTRL_C);
    await eventually('it was interrupted', () => linesOf(project, 'notes').length > 0);
    assert.deepEqual(linesOf(project, 'notes'), ['interrupt 1']);
    terminal.type(CTRL_C);
    assert.equal(await terminal.exited, 9);
    assert.deepEqual(linesOf(project, 'notes'), ['interrupt 1', 'interrupt 2']);
  });
});
