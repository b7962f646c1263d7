import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { type ProgramOptions, runProgram } from '../../src/project/run-program.ts';
import { makeProject } from '../support/project.ts';

describe('runProgram', () => {
  const run = (t: TestContext, script: string, options: Partial<ProgramOptions> = {}) => {
    const cwd = makeProject(t, { 'runs.txt': '' });
    const result = runProgram('sh', ['-c', `echo run >> runs.txt; ${script}`], { cwd, timeoutMs: 20_000, ...options });
    return result.then((end) => ({ ...end, runs: readFileSync(join(cwd, 'runs.txt'), 'utf8').split('\n').length - 1 }));
  };

  it('passes input on and returns both outputs and the status', async (t) => {
    const { status, stdout, stderr, error, timedOut } = await run(t, 'cat; echo no >&2; exit 3', { input: 'hello' });
    assert.deepEqual(
      { status, stdout, stderr, error, timedOut },
      {
        status: 3,
        stdout: 'hello',
        stderr: 'no\n',
        error: null,
        timedOut: false,
      },
    );
  });

  it('runs a program again that a signal for the whole server has ended', async (t) => {
    for (const signal of ['HUP', 'USR1', 'QUIT', 'USR2']) {
      const { status, runs } = await run(t, `[ $(wc -l < runs.txt) -gt 1 ] || kill -${signal} $$; exit 0`);
      assert.deepEqual({ status, runs }, { status: 0, runs: 2 }, signal);
    }
  });

  it('does not run it again for ever, and not after a crash', async (t) => {
    assert.equal((await run(t, 'kill -USR1 $$')).runs, 4);
    for (const signal of ['KILL', 'SEGV', 'TERM']) {
      const { status, runs } = await run(t, `kill -${signal} $$`);
      assert.deepEqual({ status, runs }, { status: null, runs: 1 }, signal);
    }
  });

  it('kills a program that takes too long, whatever it does to go on', async (t) => {
    const { status, timedOut } = await run(t, "trap '' TERM HUP; sleep 30 & wait; sleep 30", { timeoutMs: 300 });
    assert.deepEqual({ status, timedOut }, { status: null, timedOut: true });
  });

  it('reports a program that cannot be started', async (t) => {
    const cwd = makeProject(t, {});
    assert.equal(existsSync(join(cwd, 'nothing')), false);
    for (const file of [join(cwd, 'nothing'), cwd]) {
      const { status, error } = await runProgram(file, [], { cwd, input: 'x'.repeat(100_000), timeoutMs: 1000 });
      assert.equal(status, null);
      assert.match(error?.code ?? '', /^E(NOENT|ACCES)$/);
    }
  });
});
