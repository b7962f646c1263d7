import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { describe, it, type TestContext } from 'node:test';
import { ViaductError } from '../../src/errors.ts';
import { Response } from '../../src/http/response.ts';
import type { Project } from '../../src/project/project.ts';
import type { WaitingInterpreter } from '../../src/project/waiting-interpreter.ts';
import { Applications, type ApplicationTable } from '../../src/site/applications.ts';
import type { SupervisorOptions } from '../../src/workers/supervisor-options.ts';
import { PaperProcess } from '../support/paper-python.ts';
import { poolOptions } from '../support/pool.ts';
import { eventually } from '../support/wait.ts';

const CANCELLED = new ViaductError('WORKER', 'a later reload');

describe('the applications of a server', () => {
  /** Applications whose processes exist only on paper, and never answer. */
  function open(t: TestContext) {
    const applications = new Applications();
    t.after(() => applications.destroy());
    const processes: PaperProcess[] = [];
    const become = (): ChildProcess => {
      const process = new PaperProcess();
      processes.push(process);
      return process as unknown as ChildProcess;
    };
    const options: SupervisorOptions = {
      release: {
        project: { python: { path: '/usr/bin/python3' } } as unknown as Project,
        ...{ workers: 1, threads: 1, preload: 'always', software: '', listeners: [], environVariables: [] },
        ...{ startTimeoutMs: 60_000, workerTimeoutMs: 0, gracefulTimeoutMs: 1000 },
        waiting: { become } as unknown as WaitingInterpreter,
      },
      pool: poolOptions(),
      responseBufferBytesMax: 1000,
      errorResponse: () => Response.text(500, ''),
      log: { info() {}, warn() {}, error: (text) => assert.fail(text) },
    };
    const table = (...names: string[]): ApplicationTable => new Map(names.map((name) => [name, options]));
    return { applications, processes, table };
  }

  it('end what they prepare when that is abandoned, and nothing that is prepared next', async (t) => {
    const { applications, processes, table } = open(t);
    const first = applications.prepare(table('shop', 'blog'));
    await eventually('both import', () => processes.length === 2);
    applications.abandon(CANCELLED);
    const second = applications.prepare(table('shop', 'blog'));
    await assert.rejects(first, { message: /a later reload$/ });
    await eventually('both import again', () => processes.length === 4);
    assert.deepEqual(
      processes.map(({ signals }) => signals),
      [['SIGKILL'], ['SIGKILL'], [], []],
    );
    applications.abandon(CANCELLED);
    await assert.rejects(second, { message: /a later reload$/ });
  });

  it('are abandoned also before they could start', async (t) => {
    const { applications, processes, table } = open(t);
    const preparing = applications.prepare(table('shop'));
    applications.abandon(CANCELLED);
    await assert.rejects(preparing, { code: 'WORKER' });
    assert.deepEqual([processes.length, applications.has('shop'), applications.trials.size], [0, false, 0]);
  });
});
