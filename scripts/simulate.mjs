/**
 * `npm run simulate`: runs `src/workers` in simulated time, one seed after the other, each in a process of its own.
 *
 *     npm run simulate -- --minutes 10
 *     npm run simulate -- --seed 7 --steps 200000
 *
 * Without `--seed`, seeds start at the clock. Without `--minutes`, one seed runs. A broken rule ends the run, with the
 * command that repeats it.
 */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { compile, ROOT } from './steps.mjs';

const STEPS = 200_000;
const USAGE = 'Usage: npm run simulate -- [--seed N] [--steps N] [--minutes N]';

const options = readArguments();
compile();
const { runSeed } = await import(join(ROOT, '.build/test/simulation/seed-runs.js'));
process.exitCode = run(options) ? 0 : 1;

function readArguments() {
  const text = { type: 'string' };
  try {
    const { values } = parseArgs({ options: { seed: text, steps: text, minutes: text, help: { type: 'boolean' } } });
    if (values.help) {
      console.log(USAGE);
      process.exit(0);
    }
    const seed = number('seed', values.seed, Math.floor(Date.now() / 1000));
    return { seed, steps: number('steps', values.steps, STEPS), minutes: number('minutes', values.minutes, 0) };
  } catch (error) {
    console.log(`Cannot read the arguments: ${error.message}\n${USAGE}`);
    process.exit(2);
  }
}

function number(name, text, otherwise) {
  const value = text === undefined ? otherwise : Number(text);
  if (!Number.isFinite(value) || value < 0) throw new Error(`--${name} takes a number, not "${text}"`);
  return value;
}

/** @returns {boolean} whether no rule was broken */
function run({ seed: first, steps, minutes }) {
  const startMs = Date.now();
  const endMs = startMs + minutes * 60_000;
  let total = 0;
  for (let seed = first; seed === first || Date.now() < endMs; seed += 1) {
    const { passed, output } = runSeed(join(ROOT, '.build'), seed, steps);
    if (!passed) {
      console.log(`${output}\nTo repeat it: npm run simulate -- --seed ${seed} --steps ${steps}`);
      return false;
    }
    total += JSON.parse(output).steps;
    console.log(`seed ${seed}: ${output}`);
  }
  const perMinute = (total / (Date.now() - startMs)) * 60_000;
  console.log(`${total} steps, ${(perMinute / 1e6).toFixed(1)} million steps a minute`);
  return true;
}
