import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { ask } from '../support/http-client.ts';
import { makeProject, WSGI_APP } from '../support/project.ts';
import { besideStatus, linesOf } from '../support/sidecars.ts';
import { runViaduct, startViaduct } from '../support/viaduct.ts';
import { eventually, isRunning } from '../support/wait.ts';

const MANAGE = `
import os, sys, time
with open('notes', 'a') as notes: notes.write(f'{sys.argv[1]} {os.getpid()}\\n')
print('doing', sys.argv[1])
if sys.argv[1] == 'hang': time.sleep(600)
sys.exit(5 if sys.argv[1] == 'fail' else 0)
`;

const files = { 'app.py': WSGI_APP, 'manage.py': MANAGE };
const schedule = (command: string, more = ''): string =>
  `[[schedule]]\ncommand = "manage.py ${command}"\nevery_ms = "1s"\n${more}\n`;

describe('a schedule', { concurrency: 2 }, () => {
  it('runs its command again and again, and the status has the last result', async (t) => {
    const config = `${schedule('clearsessions')}${schedule('fail')}
[[schedule]]
name = "nightly"
command = ["manage.py", "clearsessions"]
cron = "17 3 * * *"
time_zone = "Europe/Zurich"
`;
    const project = makeProject(t, { ...files, 'viaduct.toml': config });
    const server = await startViaduct(t, ['--workers', '1'], { cwd: project });
    const runs = (what: string): number => linesOf(project, 'notes').filter((line) => line.startsWith(what)).length;
    await eventually('both have run twice', () => runs('clearsessions') >= 2 && runs('fail') >= 2);
    assert.match(server.output(), /"message":"doing clearsessions","schedule":"clearsessions"/);
    assert.match(server.output(), /schedule fail \(pid \d+\) ended with exit code 5 after/);
    const [good, bad, nightly] = (await besideStatus(project)).schedules;
    assert.deepEqual([good?.name, bad?.name, nightly?.name], ['clearsessions', 'fail', 'nightly']);
    assert.ok((good?.runs ?? 0) >= 2);
    assert.equal(nightly?.last_run, null);
    assert.match(nightly?.next_at ?? '', /T0[12]:17:00\.000Z$/);
    await eventually('a result of each is there', async () => {
      const { schedules } = await besideStatus(project);
      return schedules[0]?.last_run?.result === 'success' && schedules[1]?.last_run?.end === 'with exit code 5';
    });
    await eventually('the status is a text, too', async () => {
      const { output } = await runViaduct(project, 'status');
      assert.match(output, /^ {2}nightly +17 3 \* \* \* \(Europe\/Zurich\) +in .*none so far$/m);
      return /! The last run of the schedule fail failed: it ended with exit code 5\./.test(output);
    });
  });

  it('never runs twice at once, and ends a run that takes too long', async (t) => {
    const config = schedule('hang', 'timeout_ms = "5s"\nstop_grace_ms = 0');
    const project = makeProject(t, { ...files, 'viaduct.toml': config });
    const server = await startViaduct(t, ['--workers', '1'], { cwd: project });
    await eventually('a run was left out', () => /A run of schedule hang is left out/.test(server.output()));
    await eventually('it runs', () => linesOf(project, 'notes').length === 1);
    await eventually('another run was left out', () => server.output().split('is left out').length > 2);
    assert.equal(linesOf(project, 'notes').length, 1);
    await eventually('it was ended', () => /hang has run for 5 s \(timeout_ms\), and is stopped/.test(server.output()));
    await eventually('it ran again', () => linesOf(project, 'notes').length === 2);
    const [first] = linesOf(project, 'notes').map((line) => Number(line.split(' ')[1]));
    assert.ok(!isRunning(first as number));
  });

  it('ends with the server, and a reload changes it', async (t) => {
    const project = makeProject(t, { ...files, 'viaduct.toml': schedule('hang') });
    const server = await startViaduct(t, ['--workers', '1'], { cwd: project });
    await eventually('it runs', () => linesOf(project, 'notes').length === 1);
    assert.equal((await runViaduct(project, 'reload')).code, 0);
    assert.equal((await besideStatus(project)).schedules[0]?.state, 'running');
    writeFileSync(join(project, 'viaduct.toml'), schedule('hang') + schedule('other'));
    assert.equal((await runViaduct(project, 'reload')).code, 0);
    await eventually('the new one runs', () => linesOf(project, 'notes').some((line) => line.startsWith('other')));
    const pids = linesOf(project, 'notes').map((line) => Number(line.split(' ')[1]));
    assert.ok(isRunning(pids[0] as number));
    await server.stop();
    assert.ok(!pids.some(isRunning));
  });

  it('whose times cannot be used prevents the start and the reload, with its line', async (t) => {
    const broken = '[[schedule]]\ncommand = "true"\ncron = "61 * * * *"\n';
    const project = makeProject(t, {
      ...files,
      'viaduct.toml': `${broken}${broken.replace('61', '*/5 *').replace('true', 'false')}`,
    });
    const { code, output } = await runViaduct(project, 'check');
    assert.equal(code, 2);
    assert.match(
      output,
      /Cannot use schedule\[1\]\.cron = "61 \* \* \* \*" \(viaduct\.toml:3\): it must be five fields/,
    );
    assert.match(output, /Cannot use schedule\[2\]\.cron = .*viaduct\.toml:6/);
    writeFileSync(join(project, 'viaduct.toml'), '');
    const server = await startViaduct(t, ['--workers', '1'], { cwd: project });
    writeFileSync(join(project, 'viaduct.toml'), broken);
    assert.equal((await runViaduct(project, 'reload')).code, 1);
    assert.equal((await ask(server.port, '/')).status, 200);
  });
});
