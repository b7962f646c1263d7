import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { cpuSeconds } from '../accounting.mjs';
import { pidsOf, startPinned, stop } from '../processes.mjs';
import { APPS } from '../stacks/programs.mjs';
import { hold } from './idle.mjs';

const BENCH = dirname(import.meta.dirname);
/** By HTTP/2, because the load generator then needs few sockets. */
const CONNECTIONS = 100;
const REQUESTS = 100;
const SECONDS = 10;
/** What the arrival of the requests left to do, such as collecting garbage, is over after this time. */
const SETTLES_MS = 4_000;

/**
 * Requests that wait for a busy worker, each with a deadline: what the whole stack computes while nothing happens.
 *
 * @type {import('./index.mjs').Scenario}
 */
export const deadlinesScenario = {
  id: 'deadlines',
  title: `${(CONNECTIONS * REQUESTS).toLocaleString('en')} requests that wait for a busy worker and have a deadline`,
  unit: '% of a core',
  better: 'lower',
  stacks: ['viaduct'],
  targets: {},
  limit: 1,
  fresh: true,
  roundsMax: 3,
  request: { path: '/', secure: true },
  answer: 'Hello, world!\n',
  job: () => ({
    application: 'waiting:application',
    chdir: APPS,
    workers: 1,
    threads: 1,
    site: [
      'queue_max = 100_000',
      'queue_delay_ms = 0',
      'request_timeout_ms = "50s"',
      'queue_wait_max_ms = "40s"',
      'graceful_timeout_ms = "1s"',
    ],
  }),
  async sample(server, { cores }) {
    const options = { core: cores.load, log: server.log, stdio: 'pipe' };
    const program = [join(BENCH, 'hold-streams.mjs'), String(server.port), String(CONNECTIONS)];
    const holder = startPinned(process.execPath, program, options);
    try {
      const { open } = await hold(holder, createInterface({ input: holder.stdout }), REQUESTS);
      await delay(SETTLES_MS);
      const before = cpuSeconds(pidsOf(server.children));
      await delay(SECONDS * 1000);
      const cpu = cpuSeconds(pidsOf(server.children)) - before;
      const wanted = CONNECTIONS * REQUESTS;
      return { value: (cpu / SECONDS) * 100, failure: open === wanted ? null : `only ${open} of ${wanted} are open` };
    } finally {
      await stop(holder);
    }
  },
};
