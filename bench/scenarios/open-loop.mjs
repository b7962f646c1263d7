import { join } from 'node:path';
import { cpuSeconds } from '../accounting.mjs';
import { pidsOf, runPinned } from '../processes.mjs';

const PROGRAM = join(import.meta.dirname, '../openloop.mjs');
/** More of it is late than a server would be blamed for: the machine was busy with something else. */
const LATE_MS_MAX = 10;
const ATTEMPTS = 3;

/** Measures requests that arrive by the clock; when the load generator was late, once more. */
export async function measureOpenLoop(server, options) {
  let sample = await measure(server, options);
  for (let attempt = 1; attempt < ATTEMPTS && sample.late; attempt++) sample = await measure(server, options);
  return sample;
}

async function measure(server, options) {
  const before = cpuSeconds(pidsOf(server.children));
  const { lateP99, groups } = await openLoop(server.port, options);
  const [{ sent, answered, p50, p99 }] = groups;
  const cpu = cpuSeconds(pidsOf(server.children)) - before;
  const failed = sent - answered;
  const late = failed === 0 && lateP99 > LATE_MS_MAX;
  const reason = late ? `the load generator was late by ${lateP99.toFixed(0)} ms` : `${failed} requests failed`;
  const failure = late || failed > 0 ? reason : null;
  return {
    value: p99,
    detail: { p50 },
    failure,
    late,
    cpuMicros: (cpu / sent) * 1e6,
    coreShare: cpu / options.seconds,
  };
}

/** Puts the load of one group of clients on `port`. */
export async function openLoop(port, { rate, every, slowPath, seconds, core }) {
  return await openLoopOf(port, [{ rate, path: '/fast', every, slowPath }], { seconds, core });
}

/**
 * Puts the load of groups of clients on `port`.
 *
 * @param {number} port of 127.0.0.1
 * @param {readonly { rate: number, path: string, every?: number, slowPath?: string, clients?: number, first?: number }[]} groups as
 *   `openloop.mjs` takes them
 * @param {{ seconds: number, core: number }} options
 */
export async function openLoopOf(port, groups, { seconds, core }) {
  const args = [PROGRAM, String(port), String(seconds), JSON.stringify(groups)];
  return JSON.parse(await runPinned(process.execPath, args, { core, timeoutMs: (seconds + 30) * 1000 }));
}
