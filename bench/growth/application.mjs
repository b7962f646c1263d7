import { tooFewFiles } from '../scenarios/idle.mjs';
import { loadScenario } from '../scenarios/load-scenario.mjs';

/** Enough that each of many lanes has something to do. */
const CLIENTS = 256;
/** Workers and threads of each: as many lanes. */
const LANES = new Map([
  [1, [1, 1]],
  [4, [2, 2]],
  [16, [4, 4]],
  [64, [8, 8]],
  [256, [16, 16]],
  [1024, [16, 64]],
]);

const STACKS = ['viaduct', 'granian'];
const hello = {
  stacks: STACKS,
  warmUpSeconds: 1,
  application: 'hello:application',
  request: { path: '/' },
  answer: 'Hello, world!\n',
};

/** The application server: clients that wait, and those who work for them. @type {readonly import('./curves.mjs').Curve[]} */
export const applicationCurves = [
  {
    id: 'connections',
    title: 'WSGI hello for many connections at once',
    axis: 'connections',
    kind: 'environment',
    points: [1, 4, 16, 64, 256, 1024, 4096],
    stacks: STACKS,
    scenarioAt: (n) => ({
      ...loadScenario({
        ...hello,
        id: 'connections',
        title: 'WSGI hello',
        connections: n,
        secondsMin: n > 1000 ? 3 : 0,
      }),
      impossible: () => tooFewFiles(n),
    }),
  },
  {
    id: 'lanes',
    title: 'WSGI hello with many lanes on one core',
    axis: 'lanes',
    kind: 'environment',
    points: [...LANES.keys()],
    stacks: STACKS,
    scenarioAt: (n) => sized('lanes', ...LANES.get(n)),
  },
  {
    id: 'threads',
    title: 'WSGI hello with many threads in one worker',
    axis: 'threads',
    kind: 'environment',
    points: [1, 2, 4, 8, 16, 32, 64],
    stacks: STACKS,
    scenarioAt: (n) => sized('threads', 1, n),
  },
];

function sized(id, workers, threads) {
  return loadScenario({ ...hello, id, title: 'WSGI hello', connections: CLIENTS, job: { workers, threads } });
}
