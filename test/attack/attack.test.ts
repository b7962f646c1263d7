import { before, describe, it } from 'node:test';
import { suiteLifetime } from '../support/lifetime.ts';
import { createRandom } from '../support/random.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { ATTACKS } from './attacks/index.ts';
import { FUZZED_DOORS } from './doors.ts';
import { FaultyMachine } from './faults.ts';
import { fuzz } from './fuzz.ts';
import { soak } from './soak.ts';
import { Target } from './target.ts';

/** A slice of `npm run attack`, the same each time. */
const SEED = 20_240_917;
const CASES = 150;
const SOAK_MS = 15_000;

const NO_PROC = process.platform === 'linux' ? false : 'descriptors are counted in /proc';

describe('the running server', { skip: NO_PROC }, () => {
  const suite = suiteLifetime();
  const random = createRandom(SEED);
  let machine: FaultyMachine;
  let target: Target;

  before(async () => {
    machine = new FaultyMachine(temporaryDirectory(suite), suite);
    target = await Target.start(suite, { env: machine.env });
  });

  for (const { name, run } of ATTACKS) {
    it(`keeps nothing after the attack "${name}"`, async () => {
      await run(target, random);
      await target.settle();
    });
  }

  for (const door of FUZZED_DOORS) {
    it(`ends each connection, and answers well-formed, when anything comes over ${door}`, async () => {
      await fuzz(target, door, random, CASES);
      await target.settle();
    });
  }

  it('loses, crosses and repeats no request while parts of the machine fail', async (t) => {
    const possible = machine.faults().filter(({ skip }) => skip === false);
    for (const { name, skip } of machine.faults())
      if (skip !== false) t.diagnostic(`without the fault ${name}: ${skip}`);
    await soak(target, possible, random, SOAK_MS);
  });

  it('stops with exit code 0 after all of this', async () => {
    await target.assertStops();
  });
});
