import { availableParallelism } from 'node:os';
import { runH2load } from '../load.mjs';
import { loadScenario } from './load-scenario.mjs';

const ANSWER = 'Hello, world!\n';
const hello = { application: 'hello:application', request: { path: '/' }, answer: ANSWER };
/** Both answer by themselves: what is measured is the way to the answer. */
const ANSWERED = ['[[route]]', `respond = { body = ${JSON.stringify(ANSWER)} }`];

/** What the web server does beside files: TLS, HTTP/2, backends, routes. */
export const frontScenarios = [
  secure('tls', 'TLS, connections kept alive', {}, 0.9),
  secure('tls-handshakes', 'TLS, a full handshake for each request', { fields: [['Connection', 'close']] }, 0.8),
  http2(),
  withJob(
    loadScenario({
      ...hello,
      id: 'proxy',
      title: 'Reverse proxy',
      stacks: ['viaduct', 'nginx'],
      targets: { nginx: 0.9 },
    }),
    { backend: 1 },
  ),
  withJob(
    loadScenario({
      ...hello,
      id: 'proxy-balanced',
      title: 'Reverse proxy to four backends in turns',
      stacks: ['viaduct', 'nginx'],
      targets: { nginx: 0.9 },
    }),
    { backend: 4 },
  ),
  withJob(
    loadScenario({
      ...hello,
      id: 'proxy-uwsgi',
      title: 'Reverse proxy to uWSGI over uwsgi',
      stacks: ['viaduct', 'nginx'],
      targets: { nginx: 0.9 },
    }),
    { uwsgi: true },
  ),
  loadScenario({
    ...hello,
    id: 'behind-nginx',
    title: 'WSGI hello behind nginx',
    stacks: ['nginx+viaduct/uwsgi', 'nginx+uWSGI', 'nginx+viaduct/http'],
    targets: { 'nginx+uWSGI': 0.9 },
  }),
  withJob(
    loadScenario({
      ...hello,
      id: 'routes',
      title: 'WSGI hello behind 200 routes',
      stacks: ['viaduct/200 routes', 'viaduct'],
      targets: { viaduct: 0.95 },
    }),
    {},
  ),
  withJob(
    loadScenario({
      ...hello,
      id: 'features',
      title: 'WSGI hello beside a route with every feature',
      stacks: ['viaduct/features elsewhere', 'viaduct'],
      targets: { viaduct: 0.97 },
    }),
    {},
  ),
  fronts(),
];

function secure(id, title, request, target) {
  const scenario = loadScenario({
    id,
    title,
    stacks: ['viaduct', 'nginx'],
    targets: { nginx: target },
    application: 'hello:application',
    request: { path: '/', ...request, secure: true },
    answer: ANSWER,
  });
  return withJob(scenario, { tls: true, site: ANSWERED });
}

/** `wrk` speaks no HTTP/2. */
function http2() {
  const connections = 8;
  const scenario = loadScenario({
    id: 'http2',
    title: 'HTTP/2 over TLS, 16 streams at a time',
    stacks: ['viaduct', 'nginx'],
    targets: { nginx: 0.33 },
    application: 'hello:application',
    request: { path: '/', secure: true },
    answer: ANSWER,
    connections,
    run: (port, _request, { seconds, core }) => runH2load(port, { connections, streams: 16, seconds, core }),
  });
  return withJob(scenario, { tls: true, site: ANSWERED });
}

/** The one scenario in which a stack has two cores. The load generator needs others. */
function fronts() {
  const scenario = loadScenario({
    id: 'fronts',
    title: 'Static file of 1 KB, two cores',
    stacks: ['viaduct/2 fronts', 'viaduct'],
    targets: { viaduct: 1.6 },
    application: 'hello:application',
    request: { path: '/static/fronts.bin' },
    answer: 1000,
  });
  return {
    ...withJob(scenario, { file: 1000, twoCores: true }),
    impossible: () => (availableParallelism() < 4 ? 'it needs four cores, two of them for the load' : undefined),
  };
}

function withJob(scenario, more) {
  return { ...scenario, job: (context) => ({ ...scenario.job(context), ...more }) };
}
