import { cpuSeconds } from '../accounting.mjs';
import { runWrk } from '../load.mjs';
import { pidsOf } from '../processes.mjs';
import { APPS } from '../stacks/programs.mjs';

const WARM_UP_SECONDS = 2;

/**
 * A scenario in which `wrk` repeats one request. One worker process of one thread: all is on one core.
 *
 * @param {object} options
 * @param {string} options.id
 * @param {string} options.title
 * @param {readonly string[]} options.stacks
 * @param {Record<string, number>} [options.targets] least ratio of ours to that stack
 * @param {string} options.application
 * @param {import('../load.mjs').Request} options.request
 * @param {string | number} options.answer the response's text, or its length
 * @param {number} [options.connections]
 * @param {number} [options.secondsMin] where a request takes so long that less would count too few
 * @param {string} [options.files] directory to serve below /static/
 * @param {typeof runWrk} [options.run] another load generator
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
  files,
  run = runWrk,
}) {
  return {
    id,
    title: `${title}, ${connections} connections`,
    unit: 'requests/s',
    better: 'higher',
    stacks,
    targets,
    request,
    answer,
    job: () => ({ application, chdir: APPS, workers: 1, threads: 1, files, fields: request.fields }),
    async warmUp(server, { cores }) {
      await load(server, Math.max(WARM_UP_SECONDS, secondsMin), cores.load);
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
    if (server.stack.load !== undefined) return server.stack.load(server, seconds);
    return run(server.port, request, { connections, seconds, core });
  }
}
