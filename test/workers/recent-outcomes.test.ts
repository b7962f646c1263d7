import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Pool } from '../../src/workers/pool.ts';
import { RecentOutcomes } from '../../src/workers/recent-outcomes.ts';
import { poolOptions } from '../support/pool.ts';

describe('the recent outcomes of a pool', () => {
  it('are those of one to two periods, and all of them while a new release is compared with them', (t) => {
    t.mock.timers.enable({ apis: ['setInterval'] });
    const pool = new Pool(poolOptions());
    const recent = new RecentOutcomes(pool);
    const answer = (): void => pool.outcomes?.note(200, { queueUs: 0, pythonUs: 1 });
    const pass = (ms: number): number => {
      t.mock.timers.tick(ms);
      return recent.total().requests;
    };
    recent.restart(1000);
    answer();
    assert.equal(pass(1000), 1);
    answer();
    recent.hold();
    assert.equal(pass(5000), 2);
    answer();
    assert.equal(pass(5000), 3);
    recent.resume();
    assert.equal(pass(1000), 2);
    assert.equal(pass(1000), 0);
    recent.stop();
    recent.resume();
    assert.equal(pool.outcomes, null);
    answer();
    assert.equal(pass(5000), 0);
  });
});
