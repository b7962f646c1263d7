import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { runSeed } from './seed-runs.ts';

const BUILD = join(import.meta.dirname, '../..');
const STEPS = 40_000;

describe('the simulation of pool, lanes and supervisor', () => {
  for (const seed of [1, 2, 3, 4, 5, 6]) {
    it(`finds no broken rule with seed ${seed}`, () => {
      const { passed, output } = runSeed(BUILD, seed, STEPS);
      assert.ok(passed, `npm run simulate -- --seed ${seed} --steps ${STEPS}\n${output}`);
    });
  }

  it('repeats a seed exactly', () => {
    assert.deepEqual(runSeed(BUILD, 7, 20_000), runSeed(BUILD, 7, 20_000));
  });
});
