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
  const { requests, failed, p50, p99, lateP99 } = await openLoop(server.port, options);
  const cpu = cpuSeconds(pidsOf(server.children)) - before;
  const late = failed === 0 && lateP99 > LATE_MS_MAX;
  const reason = late ? `the load generator was late by ${lateP99.toFixed(0)} ms` : `${failed} requests failed`;
  const failure = late || failed > 0 ? reason : null;
  return {
    value: p99,
    detail: { p50 },
    failure,
    late,
    cpuMicros: (cpu / requests) * 1e6,
    coreShare: cpu / options.seconds,
  };
}

/** Puts the load on `port`. */
export async function openLoop(port, { rate, every, slowPath, seconds, core }) {
  const args = [PROGRAM, port, rate, seconds, every, slowPath].map(String);
  return JSON.parse(await runPinned(process.execPath, args, { core, timeoutMs: (seconds + 30) * 1000 }));
}
