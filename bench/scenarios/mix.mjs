import { APPS } from '../stacks/programs.mjs';
import { measureOpenLoop, openLoop } from './open-loop.mjs';

const SECONDS_MIN = 5;
const RECYCLING = { rate: 400, every: 0, slowPath: '/slow' };
/** Some ten workers are replaced meanwhile. */
const RECYCLING_SECONDS_MIN = 25;

/** Views of 1 ms beside some of 500 ms, arriving by the clock and not when the server is ready. Counted are the fast ones. */
export const mixScenarios = [
  mix('mix', 'Views of 1 ms, each 500th waits 500 ms', { rate: 1000, every: 500, slowPath: '/slow' }),
  mix('mix-busy', 'Views of 1 ms, each 1,000th computes 500 ms', { rate: 500, every: 1000, slowPath: '/busy' }),
];

/** Workers that are replaced while requests arrive: all are counted. Django would take longer to fork, and its views as well. */
export const recyclingScenario = {
  id: 'recycling',
  title: 'Views of 1 ms, 400 requests/s, 4 workers of 4 threads, each replaced after 1,000 requests, p99',
  unit: 'ms',
  better: 'lower',
  stacks: ['viaduct/recycling', 'viaduct'],
  targets: { viaduct: 1.2 },
  request: { path: '/fast' },
  answer: 'done\n',
  job: () => ({ application: 'mix:application', chdir: APPS, workers: 4, threads: 4 }),
  async warmUp(server, { cores }) {
    await openLoop(server.port, { ...RECYCLING, seconds: 2, core: cores.load });
  },
  async sample(server, { cores, seconds }) {
    const options = { ...RECYCLING, seconds: Math.max(seconds, RECYCLING_SECONDS_MIN), core: cores.load };
    return measureOpenLoop(server, options);
  },
};

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
      return measureOpenLoop(server, options);
    },
  };
}
