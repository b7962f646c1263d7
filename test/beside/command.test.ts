import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { projectCommand } from '../../src/project/command.ts';
import { nameOf } from '../../src/site/schema/beside-name.ts';
import { parseSite } from '../../src/site/schema/site.ts';
import { makeProject } from '../support/project.ts';

describe('the command of a sidecar or schedule', () => {
  const parsed = (command: unknown) => parseSite({ process: [{ command }] }).data?.process[0]?.command;

  it('is split as a shell does, or an array of words', () => {
    assert.deepEqual(parsed(`celery -A shop worker -n "a b" 'c' d\\ e`), [
      ...['celery', '-A', 'shop', 'worker', '-n', 'a b', 'c', 'd e'],
    ]);
    assert.deepEqual(parsed(['sh', '-c', 'echo $A', '']), ['sh', '-c', 'echo $A', '']);
  });

  it('has at least a program', () => {
    for (const command of ['', ' ', '"a', [], [''], ['a', 'b\0'], 7, undefined])
      assert.equal(parsed(command), undefined);
  });

  it('gives it a name', () => {
    for (const [command, name] of [
      ['celery -A shop worker', 'celery'],
      ['.venv/bin/celery beat', 'celery'],
      ['manage.py clearsessions', 'clearsessions'],
      ['python manage.py qcluster', 'qcluster'],
      ['/usr/bin/python3.12 -m huey tasks', 'huey'],
      ['work.py --fast', 'work'],
      ['./run it', 'run'],
      ['"a b"', 'a-b'],
      ['python', 'command'],
    ] as const)
      assert.equal(nameOf({ command: parsed(command) ?? [] }), name, command);
    assert.equal(nameOf({ command: ['a'], name: 'b' }), 'b');
  });

  it('must have a name of its own', () => {
    const twice = [{ command: 'celery worker' }, { command: 'celery beat' }];
    assert.deepEqual(parseSite({ process: twice }).error?.issues[0]?.path, ['process', 1, 'name']);
    assert.ok(
      parseSite({
        process: [twice[0], { ...twice[1], name: 'beat' }],
        schedule: [{ command: 'celery', cron: '@daily' }],
      }).success,
    );
  });

  it('is run by the Python of the project if it is Python', (t) => {
    const project = makeProject(t, { 'manage.py': '', 'bin/run.py': '' });
    const run = (...words: string[]) => projectCommand(words, '/v/bin/python', project);
    assert.deepEqual(run('manage.py', 'check'), ['/v/bin/python', 'manage.py', 'check']);
    assert.deepEqual(run('./bin/run.py'), ['/v/bin/python', './bin/run.py']);
    assert.deepEqual(run('python', '-q'), ['/v/bin/python', '-q']);
    assert.deepEqual(run('python3'), ['/v/bin/python']);
    assert.deepEqual(run('huey_consumer.py', 'a'), ['huey_consumer.py', 'a']);
    assert.deepEqual(run('celery', 'manage.py'), ['celery', 'manage.py']);
  });
});

describe('the times of a schedule', () => {
  const path = (keys: object) => parseSite({ schedule: [{ command: 'true', ...keys }] }).error?.issues[0]?.path.at(-1);

  it('are cron or every_ms, and not both', () => {
    assert.equal(path({ cron: '@daily' }), undefined);
    assert.equal(path({ every_ms: '5min' }), undefined);
    assert.equal(path({}), 0, 'the schedule itself');
    assert.equal(path({ cron: '@daily', every_ms: 1000 }), 'every_ms');
    assert.equal(path({ cron: '@daily', time_zone: 'Europe/Nowhere' }), 'time_zone');
    assert.equal(path({ every_ms: 999 }), 'every_ms');
  });
});
