import { cpuSeconds } from '../accounting.mjs';
import { repeat } from '../load.mjs';
import { pidsOf } from '../processes.mjs';
import { spoken } from '../stacks/index.mjs';
import { APPS } from '../stacks/programs.mjs';

/** A stack that speaks HTTP/1.1 in clear text beside HTTP/2 gets as many as in the scenarios of HTTP/1.1. */
const CLEAR_CONNECTIONS = 64;

/**
 * A scenario in which a load generator repeats one request. One worker process of one thread: all is on one core.
 *
 * @param {object} options
 * @param {string} options.id
 * @param {string} options.title
 * @param {readonly string[]} options.stacks
 * @param {Record<string, number>} [options.targets] least ratio of ours to that stack
 * @param {string} options.application
 * @param {import('../load.mjs').Request} options.request
 * @param {string | number | RegExp} options.answer see `waitUntilReady`
 * @param {number} [options.connections]
 * @param {number} [options.secondsMin] where a request takes so long that less would count too few
 * @param {number} [options.warmUpSeconds]
 * @param {boolean} [options.together] see `Scenario`
 * @param {Partial<import('../stacks/index.mjs').Job>} [options.job] what the stacks serve besides
 * @returns {import('./index.mjs').Scenario}
 */
export function loadScenario({
  id,
  title,
  stacks,
  targets = {},
  application,
  request,
  answer,
  connections = 64,
  secondsMin = 0,
  warmUpSeconds = 2,
  together = false,
  job = {},
}) {
  return {
    id,
    title: `${title}, ${connections} connections${streamsOf(request)}`,
    unit: 'requests/s',
    better: 'higher',
    stacks,
    targets,
    together,
    request,
    answer,
    job: () => ({ application, chdir: APPS, workers: 1, threads: 1, fields: request.fields, ...job }),
    async warmUp(server, { cores }) {
      await load(server, Math.max(warmUpSeconds, secondsMin), cores.load);
    },
    async sample(server, { cores, seconds }) {
      const before = cpuSeconds(pidsOf(server.children));
      const result = await load(server, Math.max(seconds, secondsMin), cores.load);
      const cpu = cpuSeconds(pidsOf(server.children)) - before;
      return {
        value: result.requests / result.seconds,
        failure: result.failure,
        cpuMicros: (cpu / result.requests) * 1e6,
        coreShare: cpu / result.seconds,
      };
    },
  };

  function load(server, seconds, core) {
    const { stack, port, directory } = server;
    if (stack.load !== undefined) return stack.load(server, seconds);
    const asked = spoken(stack, request);
    return repeat(port, asked, {
      connections: asked === request ? connections : CLEAR_CONNECTIONS,
      seconds,
      core,
      directory,
    });
  }
}

function streamsOf({ streams }) {
  if (streams === undefined) return '';
  return streams === 1 ? ' of one stream' : ` of ${streams} streams`;
}
