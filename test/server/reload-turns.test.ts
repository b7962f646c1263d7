import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ReloadTurns } from '../../src/server/reload-turns.ts';

describe('reloads', () => {
  it('run one after another, also after one that fails', async () => {
    const turns = new ReloadTurns();
    const steps: string[] = [];
    const first = turns.take(async () => {
      steps.push('first starts');
      await Promise.resolve();
      steps.push('first fails');
      throw new Error('broken');
    });
    const second = turns.take(async () => {
      steps.push('second');
    });
    await assert.rejects(first, /broken/);
    await second;
    assert.deepEqual(steps, ['first starts', 'first fails', 'second']);
  });

  it('are ended one at a time', async () => {
    const turns = new ReloadTurns();
    const first = turns.take(
      (signal) =>
        new Promise((_, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason));
          turns.abort(new Error('replaced'));
        }),
    );
    const second = turns.take(async (signal) => assert.equal(signal.aborted, false));
    await assert.rejects(first, /replaced/);
    await second;
  });
});
