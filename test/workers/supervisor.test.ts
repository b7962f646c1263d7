import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Runtime } from '../../src/workers/runtime.ts';
import { Supervisor } from '../../src/workers/supervisor.ts';
import { openSuccession } from '../support/succession.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

describe('a supervisor that was destroyed', () => {
  it('lets nobody wait for a start or a stop', async (t) => {
    const directory = temporaryDirectory(t);
    const runtime = { directory: () => directory, spoolDirectory: () => directory } as unknown as Runtime;
    const supervisor = new Supervisor(openSuccession(t).options, runtime);
    const started = supervisor.startRelease();
    supervisor.destroy();
    const stopped = { code: 'WORKER', message: 'Cannot start the application: the server was stopped' };
    await assert.rejects(started, stopped);
    await assert.rejects(supervisor.startRelease(), stopped);
    await supervisor.stop();
  });
});
