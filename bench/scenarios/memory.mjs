import { setTimeout as delay } from 'node:timers/promises';
import { pssBytes } from '../accounting.mjs';
import { runWrk } from '../load.mjs';
import { pidsOf } from '../processes.mjs';
import { APPS } from '../stacks/programs.mjs';

const LOAD_SECONDS = 2;
const SETTLE_MS = 1_000;

/** All the memory of a site that has served: PSS of every process of the stack, Node and nginx included. */
export const memoryScenarios = [
  {
    ...common('memory', 4),
    stacks: ['viaduct', 'gunicorn', 'gunicorn/preload', 'nginx+gunicorn', 'nginx+uWSGI', 'granian'],
    targets: { gunicorn: 1 },
  },
  {
    ...common('memory-2', 2),
    stacks: ['viaduct', 'viaduct/operated', 'gunicorn', 'gunicorn/preload'],
    targets: { gunicorn: 1.15 },
  },
  {
    ...common('memory-16', 16),
    stacks: ['viaduct', 'viaduct/operated', 'gunicorn/preload'],
    targets: { 'gunicorn/preload': 1.15 },
  },
];

function common(id, workers) {
  return {
    id,
    title: `Memory (PSS) of the whole stack, Django with all middlewares of startproject, ${workers} workers`,
    unit: 'MB',
    better: 'lower',
    fresh: true,
    roundsMax: 3,
    request: { path: '/' },
    answer: 'Hello, world!\n',
    job: () => ({ application: 'django_startproject:application', chdir: APPS, workers, threads: 4, unshared: true }),
    sample,
  };
}

async function sample(server, { cores }) {
  const options = { connections: 64, seconds: LOAD_SECONDS, core: cores.load };
  const { failure } = await runWrk(server.port, { path: '/' }, options);
  await delay(SETTLE_MS);
  const pids = pidsOf(server.children);
  return { value: pssBytes(pids) / 1e6, failure, detail: { processes: pids.length } };
}
