import { join } from 'node:path';
import { cpuSeconds } from '../accounting.mjs';
import { pidsOf, runPinned } from '../processes.mjs';
import { APPS } from '../stacks/programs.mjs';

const PROGRAM = join(import.meta.dirname, '../openloop.mjs');
/** More of it is late than a server would be blamed for: the machine was busy with something else. */
const LATE_MS_MAX = 10;
const SECONDS_MIN = 5;
const ATTEMPTS = 3;

/** Views of 1 ms beside some of 500 ms, arriving by the clock and not when the server is ready. Counted are the fast ones. */
export const mixScenarios = [
  mix('mix', 'Views of 1 ms, each 500th waits 500 ms', { rate: 1000, every: 500, slowPath: '/slow' }),
  mix('mix-busy', 'Views of 1 ms, each 1,000th computes 500 ms', { rate: 500, every: 1000, slowPath: '/busy' }),
];

function mix(id, title, { rate, every, slowPath }) {
  return {
    id,
    title: `${title}, ${rate.toLocaleString('en')} requests/s, 4 workers of 4 threads, p99 of the fast`,
    unit: 'ms',
    better: 'lower',
    stacks: ['viaduct', 'gunicorn', 'granian'],
    targets: { gunicorn: 1 },
    request: { path: '/fast' },
    answer: 'done\n',
    job: () => ({ application: 'mix:application', chdir: APPS, workers: 4, threads: 4 }),
    async warmUp(server, { cores }) {
      await openLoop(server.port, { rate, every: 0, slowPath, seconds: 2, core: cores.load });
    },
    async sample(server, { cores, seconds }) {
      const options = { rate, every, slowPath, seconds: Math.max(seconds, SECONDS_MIN), core: cores.load };
      let sample = await measure(server, options);
      for (let attempt = 1; attempt < ATTEMPTS && sample.late; attempt++) sample = await measure(server, options);
      return sample;
    },
  };
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

async function openLoop(port, { rate, every, slowPath, seconds, core }) {
  const args = [PROGRAM, port, rate, seconds, every, slowPath].map(String);
  return JSON.parse(await runPinned(process.execPath, args, { core, timeoutMs: (seconds + 30) * 1000 }));
}
