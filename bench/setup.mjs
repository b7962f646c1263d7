import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, loadavg, release, tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from '../scripts/steps.mjs';
import { chooseCores, pinSelf } from './cores.mjs';
import { killAll, stopAll } from './processes.mjs';
import { STACKS } from './stacks/index.mjs';
import { findProgram, inspectPackage } from './stacks/programs.mjs';

/**
 * Prepares this machine for measurements and calls `measure`. When it resolves, nothing that was started is left.
 *
 * @template T
 * @param {ReturnType<typeof import('./options.mjs').readOptions>} options
 * @param {(context: import('./rounds.mjs').Context) => Promise<T>} measure
 * @returns {Promise<T>}
 */
export async function onThisMachine(options, measure) {
  if (findProgram('wrk') === null) throw new Error('Cannot make load: wrk is not installed. See bench/README.md');
  if ('missing' in inspectPackage('django'))
    throw new Error('Cannot find .setup/bench-venv with Django: run bench/install-peers.sh');
  build();
  const cores = chooseCores(options.cores);
  pinSelf(cores.load);
  const directory = mkdtempSync(join(tmpdir(), 'viaduct-bench-'));
  cleanUpWhenInterrupted(directory);
  const { rounds, seconds } = options;
  const inspections = Object.fromEntries(Object.entries(STACKS).map(([name, stack]) => [name, stack.inspect()]));
  try {
    return await measure({ cores, rounds, seconds, directory, inspections, tell: (line) => console.log(line) });
  } finally {
    await stopAll();
    rmSync(directory, { recursive: true, force: true });
  }
}

/**
 * What a run is made with.
 *
 * @param {ReturnType<typeof import('./options.mjs').readOptions>} options
 * @param {import('./rounds.mjs').Context} context
 * @param {ReadonlySet<string>} stacks names of those that take part
 */
export function circumstances({ rounds, seconds, quick }, { cores, inspections }, stacks) {
  const found = Object.entries(inspections).filter(([name]) => stacks.has(name));
  const plain = found.filter(([name]) => !name.includes('/'));
  return {
    date: new Date().toISOString().slice(0, 10),
    machine: { cpu: cpus()[0].model, kernel: release(), node: process.versions.node, cores, load: loadavg()[0] },
    options: { rounds, seconds, quick },
    versions: Object.fromEntries(
      plain.flatMap(([name, { version }]) => (version === undefined ? [] : [[name, version]])),
    ),
    missing: found.flatMap(([name, { missing }]) => (missing === undefined ? [] : [[name, missing]])),
  };
}

function cleanUpWhenInterrupted(directory) {
  process.once('exit', killAll);
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ]) {
    process.once(signal, async () => {
      console.log(`${signal}: ending what was started`);
      await stopAll();
      rmSync(directory, { recursive: true, force: true });
      process.exit(code);
    });
  }
}
