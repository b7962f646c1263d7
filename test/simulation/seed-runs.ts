import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

/** What a run prints at its end. */
export interface RunResult {
  /** Whether all rules held. */
  readonly passed: boolean;
  /** The last line: figures and hash, or what the run says about a broken rule. */
  readonly output: string;
}

const TIMEOUT_MS = 120_000;

/** Runs a seed in a process of its own, with the compiled tests in `build`. */
export function runSeed(build: string, seed: number, steps: number): RunResult {
  const program = join(build, 'test/simulation/run.js');
  const args = [program, '--seed', `${seed}`, '--steps', `${steps}`];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', timeout: TIMEOUT_MS });
  return { passed: status === 0, output: `${stdout}${stderr}`.trim() };
}
