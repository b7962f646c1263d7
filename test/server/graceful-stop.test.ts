import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { GracefulStop } from '../../src/server/graceful-stop.ts';

const LONG_MS = 2 ** 30;

describe('a graceful stop', () => {
  it('accepts until it is cancelled', async () => {
    const stop = new GracefulStop();
    const accepted = stop.accept(LONG_MS);
    stop.cancel();
    await accepted;
    await stop.accept(LONG_MS);
  });

  it('waits for what runs, and no longer', async () => {
    const stop = new GracefulStop();
    assert.equal(await stop.wait(LONG_MS, Promise.resolve()), true);
    assert.equal(await stop.wait(0, new Promise(() => {})), false);
  });

  it('has no limit any more after a cancel', async () => {
    const stop = new GracefulStop();
    let finish = (): void => {};
    const finished = new Promise<void>((resolve) => {
      finish = resolve;
    });
    const waited = stop.wait(1, finished);
    stop.cancel();
    setTimeout(finish, 20);
    assert.equal(await waited, true);
  });
});
