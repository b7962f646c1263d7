import { loadScenario } from './load-scenario.mjs';

const hello = {
  title: 'WSGI hello',
  application: 'hello:application',
  request: { path: '/' },
  answer: 'Hello, world!\n',
};

/** The same work, and much more of it: clients, lanes, bytes and blocks. */
export const growthScenarios = [
  burst(2000),
  burst(4000),
  loadScenario({
    ...hello,
    id: 'lanes',
    title: 'WSGI hello, 16 workers of 64 threads on one core',
    stacks: ['viaduct/16 workers of 64 threads', 'viaduct'],
    targets: { viaduct: 0.9 },
  }),
  transfer('transfer-large', '100 MB in blocks of 1 MB', 100, 1_000_000),
  transfer('transfer-middle', '100 MB in blocks of 10 KB', 10_000, 10_000),
  transfer('transfer-small', '20 MB in blocks of 100 bytes', 200_000, 100),
  loadScenario({
    id: 'upload-200m',
    title: 'POST of 200 MB',
    application: 'upload:application',
    stacks: ['viaduct', 'nginx+gunicorn', 'gunicorn', 'granian'],
    targets: { 'nginx+gunicorn': 1.7, granian: 0.6 },
    request: { path: '/', method: 'POST', bodyBytes: 200_000_000 },
    answer: '200000000',
    connections: 1,
    secondsMin: 4,
  }),
];

function burst(connections) {
  return loadScenario({
    ...hello,
    id: `burst-${connections}`,
    stacks: ['viaduct', 'granian', 'nginx+gunicorn'],
    targets: { granian: 1.3 },
    connections,
    secondsMin: 3,
  });
}

function transfer(id, title, count, bytes) {
  return loadScenario({
    id,
    title,
    application: 'blocks:application',
    stacks: ['viaduct', 'nginx+gunicorn', 'gunicorn', 'granian'],
    targets: { 'nginx+gunicorn': 1 },
    request: { path: `/${count}/${bytes}` },
    answer: count * bytes,
    connections: 1,
    secondsMin: 4,
  });
}
