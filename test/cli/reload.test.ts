import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createReload } from '../../src/cli/reload.ts';
import type { Log } from '../../src/log/log.ts';
import type { RunningServer } from '../../src/server/running-server.ts';
import type { Configuration } from '../../src/site/configuration.ts';
import { createSignal, eventually } from '../support/wait.ts';

describe('createReload', () => {
  /** A server whose reloads end when the test says so, and a record of all events. */
  function start() {
    const happened: string[] = [];
    const ends: ((error?: Error) => void)[] = [];
    const server = {
      reload: (configuration: Configuration) =>
        new Promise<void>((resolve, reject) => {
          happened.push(`reload ${String(configuration)}`);
          ends.push((error) => (error === undefined ? resolve() : reject(error)));
        }),
      cancelReload: () => happened.push('cancelled'),
    } as unknown as RunningServer;
    const log = {
      info: (message: string) => happened.push(message.replace(/\d+/, 'N')),
      error: (message: string) => happened.push(message),
    } as unknown as Log;
    let configurations = 0;
    const reload = createReload(server, log, {
      onReloading: async () => {
        configurations += 1;
        if (configurations === 3) throw new Error('it is wrong');
        return configurations as unknown as Configuration;
      },
      onConfigured: () => {},
      onReloaded: (outcome) => happened.push(outcome),
    });
    return { happened, ends, reload };
  }

  it('gives up a running reload and runs one after it, however often it was requested, with the state at its start', async () => {
    const { happened, ends, reload } = start();
    reload();
    await eventually('it runs', () => ends.length === 1);
    for (let i = 0; i < 3; i += 1) reload();
    ends[0]?.();
    await eventually('another one runs', () => ends.length === 2);
    ends[1]?.();
    await eventually('it is over', () => happened.length === 9);
    const whole = (number: number) => [`reload ${number}`, 'Reloaded in N ms', 'reloaded'];
    const [first, ...others] = whole(1);
    assert.deepEqual(happened, [first, 'cancelled', 'cancelled', 'cancelled', ...others, ...whole(2)]);
  });

  it('gives up a reload whose configuration never comes', async () => {
    const { happened: configured, happen } = createSignal();
    const served: Configuration[] = [];
    const followed: Configuration[] = [];
    const configurations = [new Promise<Configuration>(() => {}), Promise.resolve({} as Configuration)];
    const server = { reload: async (one: Configuration) => void served.push(one), cancelReload: () => {} };
    const log = { info: happen, error: (message: string) => assert.fail(message) } as unknown as Log;
    const reload = createReload(server as unknown as RunningServer, log, {
      onReloading: () => configurations.shift() as Promise<Configuration>,
      onConfigured: (one) => followed.push(one),
      onReloaded: () => {},
    });
    reload();
    reload();
    await configured;
    assert.deepEqual([served.length, followed.length, configurations.length], [1, 1, 0]);
  });

  it('resolves to the outcome of the reload that no later one has replaced', async () => {
    const { ends, reload } = start();
    const replaced = reload();
    await eventually('it runs', () => ends.length === 1);
    const last = reload();
    ends[0]?.(new Error('replaced'));
    await eventually('another one runs', () => ends.length === 2);
    ends[1]?.(new Error('no release', { cause: 'Traceback\n' }));
    const outcome = await last;
    assert.equal(await replaced, outcome);
    assert.deepEqual([outcome.error, outcome.traceback], ['no release', 'Traceback']);
  });

  it('reports a failure with the output of Python, and continues', async () => {
    const { happened, ends, reload } = start();
    reload();
    await eventually('it runs', () => ends.length === 1);
    ends[0]?.(new Error('no release', { cause: 'Traceback\n' }));
    await eventually('it has failed', () => happened.length === 3);
    reload();
    await eventually('it runs', () => ends.length === 2);
    ends[1]?.();
    await eventually('it is over', () => happened.length === 6);
    reload();
    await eventually('it has failed', () => happened.length === 8);
    const unchanged = 'Cannot reload, the old configuration stays: ';
    assert.deepEqual(happened, [
      'reload 1',
      `${unchanged}no release\nTraceback`,
      'the reload failed',
      'reload 2',
      'Reloaded in N ms',
      'reloaded',
      `${unchanged}it is wrong`,
      'the reload failed',
    ]);
  });
});
