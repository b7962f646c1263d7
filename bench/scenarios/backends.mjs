import { setTimeout as delay } from 'node:timers/promises';
import { cpuSeconds } from '../accounting.mjs';
import { pidsOf } from '../processes.mjs';
import { APPS } from '../stacks/programs.mjs';
import { measureOpenLoop, openLoop } from './open-loop.mjs';

const RATE = 800;
const FAST_MS = 1;
const SLOW_MS = 500;
const SECONDS_MIN = 5;

const ENDPOINTS = 10_000;
const CHANGES_PER_SECOND = 100;

/** Backends that are not all well, or not always there. */
export const backendScenarios = [
  {
    id: 'slow-backend',
    title: `Four backends, one of them takes ${SLOW_MS} ms and the others ${FAST_MS} ms, ${RATE} requests/s, p99`,
    unit: 'ms',
    better: 'lower',
    stacks: ['viaduct/least connections', 'viaduct/random two', 'viaduct', 'nginx'],
    targets: { nginx: 1 },
    request: { path: '/fast' },
    answer: 'done\n',
    job: () => ({ chdir: APPS, delays: [FAST_MS, FAST_MS, FAST_MS, SLOW_MS], web: true }),
    async warmUp(server, { cores }) {
      await openLoop(server.port, { rate: RATE, every: 0, slowPath: '/fast', seconds: 2, core: cores.load });
    },
    sample: (server, { cores, seconds }) =>
      measureOpenLoop(server, {
        rate: RATE,
        every: 0,
        slowPath: '/fast',
        seconds: Math.max(seconds, SECONDS_MIN),
        core: cores.load,
      }),
  },
  {
    id: 'churn',
    title: `${ENDPOINTS.toLocaleString('en')} backends by Kubernetes' API, ${CHANGES_PER_SECOND} of them change each second, without requests`,
    unit: '% of a core',
    better: 'lower',
    stacks: ['viaduct'],
    targets: {},
    limit: 5,
    request: { path: '/ready' },
    answer: 'ready',
    job: () => ({ chdir: APPS, endpoints: ENDPOINTS, changes: CHANGES_PER_SECOND, web: true }),
    async warmUp() {
      await delay(3_000);
    },
    async sample(server, { seconds }) {
      const lasts = Math.max(seconds, SECONDS_MIN);
      const before = cpuSeconds(pidsOf(server.children));
      await delay(lasts * 1000);
      return { value: ((cpuSeconds(pidsOf(server.children)) - before) / lasts) * 100, failure: null };
    },
  },
];
