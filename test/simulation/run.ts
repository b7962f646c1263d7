import { parseArgs } from 'node:util';
import { installBuiltins } from './builtins.ts';
import { Epoch } from './epoch.ts';
import { fail } from './failure.ts';
import type { PythonOptions } from './python/worker.ts';
import { startZygote } from './python/zygote.ts';
import { Random } from './random.ts';

/**
 * `node run.js --seed N --steps N`: simulates servers, one after the other, until that many steps are done. The last
 * line of the output is a JSON object: steps, servers, outcomes by status, hash. With a broken rule the exit code is 1.
 *
 * One process runs one seed, because the code under test counts workers and files for as long as it is loaded.
 */
const STEPS_OF_A_SERVER = 20_000;

const { values } = parseArgs({ options: { seed: { type: 'string' }, steps: { type: 'string' } } });
const random = new Random(Number(values.seed ?? 1));
const stepsMax = Number(values.steps ?? 200_000);

let epoch: Epoch | null = null;
installBuiltins(
  () => epoch?.machine ?? fail('nothing is simulated yet'),
  (_machine, options) => startZygote((epoch as Epoch).python, JSON.parse(options) as PythonOptions),
);

let steps = 0;
let servers = 0;
let hash = 0;
const outcomes: Record<number, number> = {};
try {
  while (steps < stepsMax) {
    epoch = new Epoch(random);
    await epoch.run(Math.ceil(random.magnitude(100, STEPS_OF_A_SERVER)));
    steps += epoch.machine.schedule.steps;
    servers += 1;
    hash = Math.imul(hash ^ epoch.machine.schedule.trace.hash, 0x01000193);
    for (const [status, count] of epoch.requests.outcomes) outcomes[status] = (outcomes[status] ?? 0) + count;
  }
  console.log(JSON.stringify({ steps, servers, outcomes, hash: hash >>> 0 }));
} catch (error) {
  console.log(epoch?.machine.schedule.trace.toString());
  console.log(JSON.stringify(epoch?.scenario));
  console.log(error);
  console.log(`after ${steps + (epoch?.machine.schedule.steps ?? 0)} steps, in server ${servers + 1}`);
  process.exit(1);
}
