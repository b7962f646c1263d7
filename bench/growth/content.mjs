import { join } from 'node:path';
import { cpuSeconds } from '../accounting.mjs';
import { pidsOf, runPinned } from '../processes.mjs';
import { loadScenario } from '../scenarios/load-scenario.mjs';

const PROGRAM = join(import.meta.dirname, '../transfer.mjs');
const WARM_UP_SECONDS = 1;
/** The longest that one request of a curve may take. */
const PATIENCE_SECONDS = 60;
const MEGABYTE = 1_000_000;
const STACKS = ['viaduct', 'nginx+gunicorn'];
const work = { kind: 'work', stacks: STACKS };

/** Content in both directions, in more and more pieces: the work of one request grows. @type {readonly import('./curves.mjs').Curve[]} */
export const contentCurves = [
  {
    ...work,
    id: 'blocks-10k',
    title: 'Response in blocks of 10 KB',
    axis: 'blocks of 10 KB',
    points: [1, 4, 16, 64, 256, 1024, 4096, 16_384],
    scenarioAt: (n) => download('blocks-10k', n, 10_000),
  },
  {
    ...work,
    id: 'blocks-100',
    title: 'Response in blocks of 100 bytes',
    axis: 'blocks of 100 bytes',
    points: [1, 4, 16, 64, 256, 1024, 4096, 16_384],
    scenarioAt: (n) => download('blocks-100', n, 100),
  },
  {
    ...work,
    id: 'megabytes-down',
    title: 'Response in blocks of 1 MB',
    axis: 'MB',
    points: [1, 4, 16, 64, 256],
    scenarioAt: (n) => download('megabytes-down', n, MEGABYTE),
  },
  {
    ...work,
    id: 'megabytes-up',
    title: 'POST of many megabytes',
    axis: 'MB',
    points: [1, 4, 16, 64, 256],
    scenarioAt: (n) =>
      transfer('megabytes-up', 'upload:application', {
        small: { path: '/', method: 'POST', bodyBytes: 100 },
        answer: '100',
        request: { path: '/', method: 'POST', bodyBytes: n * MEGABYTE },
      }),
  },
];

function download(id, count, bytes) {
  return transfer(id, 'blocks:application', {
    small: { path: `/1/${bytes}` },
    answer: bytes,
    request: { path: `/${count}/${bytes}` },
  });
}

/** A scenario in which whole requests follow each other on one connection. By a `small` one it is seen that a stack is ready. */
function transfer(id, application, { small, answer, request }) {
  const scenario = loadScenario({ id, title: id, stacks: STACKS, application, request: small, answer, connections: 1 });
  return {
    ...scenario,
    async warmUp(server, { cores }) {
      await run(server.port, request, WARM_UP_SECONDS, cores.load);
    },
    async sample(server, { cores, seconds }) {
      const before = cpuSeconds(pidsOf(server.children));
      const result = await run(server.port, request, seconds, cores.load);
      const cpu = cpuSeconds(pidsOf(server.children)) - before;
      const { requests, failure } = result;
      return {
        value: requests / result.seconds,
        failure,
        cpuMicros: (cpu / requests) * 1e6,
        coreShare: cpu / result.seconds,
      };
    },
  };
}

async function run(port, { path, method = 'GET', bodyBytes = 0 }, seconds, core) {
  const args = [PROGRAM, port, method, path, bodyBytes, seconds].map(String);
  const timeoutMs = (seconds + PATIENCE_SECONDS) * 1000;
  return JSON.parse(await runPinned(process.execPath, args, { core, timeoutMs }));
}
