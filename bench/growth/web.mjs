import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { startPinned } from '../processes.mjs';
import { hold, tooFewFiles } from '../scenarios/idle.mjs';
import { loadScenario } from '../scenarios/load-scenario.mjs';

const HOLDER = join(import.meta.dirname, '../hold.mjs');
const ANSWER = 'Hello, world!\n';
const STACKS = ['viaduct', 'nginx'];

/** No Python runs: the server answers by itself. */
const own = { stacks: STACKS, warmUpSeconds: 1, request: { path: '/' }, answer: ANSWER };
const job = { web: true, respond: ANSWER };
const environment = { kind: 'environment', stacks: STACKS };

/** The web server: clients, routes, hosts, backends, streams, and clients that do nothing. @type {readonly import('./curves.mjs').Curve[]} */
export const webCurves = [
  {
    ...environment,
    id: 'files',
    title: 'File of 1 KB for many connections at once',
    axis: 'connections',
    points: [1, 4, 16, 64, 256, 1024, 4096],
    scenarioAt: (n) => ({
      ...loadScenario({
        ...own,
        id: 'files',
        title: 'Static file',
        request: { path: '/static/processes.bin' },
        answer: 1000,
        connections: n,
        secondsMin: n > 1000 ? 3 : 0,
        job: { web: true, file: 1000 },
      }),
      impossible: () => tooFewFiles(n),
    }),
  },
  {
    ...environment,
    id: 'idle',
    title: '64 busy connections beside idle ones',
    axis: 'idle connections',
    points: [1, 16, 256, 1024, 4096, 10_000],
    scenarioAt: besideIdle,
  },
  {
    ...environment,
    id: 'routes',
    title: 'Answer behind routes that do not match',
    axis: 'routes',
    points: [1, 4, 16, 64, 256, 1024, 4096],
    scenarioAt: (n) => {
      const paths = named(n, (index) => `/part-${index}/section/`);
      return loadScenario({ ...own, id: 'routes', title: 'Routes', job: { ...job, paths } });
    },
  },
  {
    ...environment,
    id: 'hosts',
    title: 'Answer of one of many virtual hosts',
    axis: 'hosts',
    points: [1, 4, 16, 64, 256, 1024, 4096],
    scenarioAt: (n) => {
      const hosts = named(n, (index) => `host-${index}.example`);
      const request = { path: '/', fields: [['Host', hosts[n - 1]]] };
      return loadScenario({ ...own, id: 'hosts', title: 'Hosts', request, job: { ...job, hosts } });
    },
  },
  {
    ...environment,
    id: 'backends',
    title: 'Reverse proxy to many backends in turns',
    axis: 'backends',
    points: [1, 4, 16, 64, 256, 1024],
    scenarioAt: (n) => {
      const backendAddresses = named(n - 1, (index) => `127.1.${index >> 7}.${(index & 127) + 1}`);
      return loadScenario({ ...own, id: 'backends', title: 'Proxy', job: { web: true, backend: 1, backendAddresses } });
    },
  },
  {
    kind: 'environment',
    id: 'streams',
    title: 'HTTP/2 over TLS, many streams at a time',
    axis: 'streams',
    points: [1, 4, 16, 64, 256],
    stacks: ['viaduct', 'h2o'],
    scenarioAt: (n) =>
      loadScenario({
        ...own,
        id: 'streams',
        title: 'HTTP/2',
        stacks: ['viaduct', 'h2o'],
        request: { path: '/', secure: true, streams: n },
        connections: 1,
        job: { ...job, streams: 256 },
      }),
  },
];

function named(count, name) {
  return Array.from({ length: count }, (_, index) => name(index));
}

/** The idle ones are open before the measurement, and have to be open after it. */
function besideIdle(n) {
  const scenario = loadScenario({ ...own, id: 'idle', title: 'Busy and idle connections', job });
  const holders = new Map();
  return {
    ...scenario,
    impossible: () => tooFewFiles(n),
    async warmUp(server, context) {
      const options = { core: context.cores.load, log: server.log, stdio: 'pipe' };
      const child = startPinned(process.execPath, [HOLDER, String(server.port), 'http/1.1'], options);
      server.helpers.push(child);
      holders.set(server, { child, lines: createInterface({ input: child.stdout }) });
      await once(child, 'spawn');
      await stillOpen(server);
      await scenario.warmUp(server, context);
    },
    async sample(server, context) {
      const sample = await scenario.sample(server, context);
      const open = await stillOpen(server);
      return open === n ? sample : { ...sample, failure: `only ${open} of ${n} idle connections are open` };
    },
  };

  async function stillOpen(server) {
    const { child, lines } = holders.get(server);
    return (await hold(child, lines, n)).open;
  }
}
