import { runWrk } from '../load.mjs';
import { APPS } from '../stacks/programs.mjs';
import { openLoopOf } from './open-loop.mjs';

const PATH = '/short';
const OVER = 2;
/** Clients that ask for their fair share, each from an address of its own, beside one that asks for all the rest. */
const POLITE = { clients: 50, first: 2 };
const GREEDY = { clients: 1, first: 100 };
/** A minute with the default `--seconds`. */
const TIMES_SECONDS = 20;
const CAPACITY_CONNECTIONS = 64;
const CAPACITY_SECONDS = 5;

/**
 * More requests than the application can answer. Goodput is what it answers while they come. Capacity is what it answers to clients that wait for each answer: the mean of a moment before, which sets the load, and a moment after.
 *
 * @type {import('./index.mjs').Scenario}
 */
export const overloadScenario = {
  id: 'overload',
  title: `Overload at ${OVER} × capacity, 1 worker that computes 1 ms, ${POLITE.clients} polite clients and a greedy one, goodput`,
  unit: '×',
  better: 'higher',
  stacks: ['viaduct'],
  targets: {},
  limit: 0.95,
  roundsMax: 1,
  request: { path: PATH },
  answer: 'done\n',
  job: () => ({ application: 'mix:application', chdir: APPS, workers: 1, threads: 1 }),
  async warmUp(server, { cores }) {
    await closedLoop(server, 2, cores.load);
  },
  async sample(server, { cores, seconds }) {
    const before = await closedLoop(server, CAPACITY_SECONDS, cores.load);
    if (before.failure !== null) return { value: 0, failure: before.failure };
    const capacity = before.rate;
    const share = capacity / (POLITE.clients + GREEDY.clients);
    const politeRate = share * POLITE.clients;
    const groups = [
      { ...POLITE, path: PATH, rate: politeRate },
      { ...GREEDY, path: PATH, rate: OVER * capacity - politeRate },
    ];
    const lasts = seconds * TIMES_SECONDS;
    const overload = await openLoopOf(server.port, groups, { seconds: lasts, core: cores.load });
    const after = await closedLoop(server, CAPACITY_SECONDS, cores.load);
    if (after.failure !== null) return { value: 0, failure: after.failure };
    return describe(overload, (before.rate + after.rate) / 2, lasts);
  },
};

/** Requests per second when each client waits for its answer. */
async function closedLoop(server, seconds, core) {
  const load = { connections: CAPACITY_CONNECTIONS, seconds, core };
  const { requests, seconds: lasted, failure } = await runWrk(server.port, { path: PATH }, load);
  return { rate: requests / lasted, failure };
}

function describe({ lateP99, groups }, capacity, seconds) {
  const sum = (name) => groups.reduce((total, group) => total + group[name], 0);
  const [polite, greedy] = groups;
  const failed = sum('failed');
  return {
    value: sum('inTime') / seconds / capacity,
    detail: {
      'capacity/s': capacity,
      'polite answered %': (100 * polite.answered) / polite.sent,
      'polite p99 ms': polite.p99,
      'greedy answered %': (100 * greedy.answered) / greedy.sent,
      'greedy p99 ms': greedy.p99,
      '503 p99 ms': greedy.refusalP99,
      '503 without Retry-After %': (100 * sum('withoutRetryAfter')) / Math.max(1, sum('refused')),
      'late p99 ms': lateP99,
    },
    failure: failed === 0 ? null : `${failed} requests got neither an answer nor 503`,
  };
}
