import { availableParallelism } from 'node:os';
import { loadScenario } from './load-scenario.mjs';

const ANSWER = 'Hello, world!\n';
const hello = { application: 'hello:application', request: { path: '/' }, answer: ANSWER };

/** What the web server does beside files and HTTP/2: TLS, backends, routes. */
export const webServerScenarios = [
  secure('tls', 'TLS, connections kept alive', {}, 0.9),
  secure('tls-handshakes', 'TLS, a full handshake for each request', { fields: [['Connection', 'close']] }, 0.8),
  loadScenario({
    ...hello,
    id: 'proxy',
    title: 'Reverse proxy',
    stacks: ['viaduct', 'nginx'],
    targets: { nginx: 0.9 },
    job: { backend: 1 },
  }),
  loadScenario({
    ...hello,
    id: 'proxy-balanced',
    title: 'Reverse proxy to four backends in turns',
    stacks: ['viaduct', 'nginx'],
    targets: { nginx: 0.9 },
    job: { backend: 4 },
  }),
  loadScenario({
    ...hello,
    id: 'proxy-uwsgi',
    title: 'Reverse proxy to uWSGI over uwsgi',
    stacks: ['viaduct', 'nginx'],
    targets: { nginx: 0.9 },
    job: { uwsgi: true },
  }),
  loadScenario({
    ...hello,
    id: 'behind-nginx',
    title: 'WSGI hello behind nginx',
    stacks: ['nginx+viaduct/uwsgi', 'nginx+uWSGI', 'nginx+viaduct/http'],
    targets: { 'nginx+uWSGI': 0.9 },
  }),
  loadScenario({
    ...hello,
    id: 'routes',
    title: 'WSGI hello behind 200 routes',
    stacks: ['viaduct/200 routes', 'viaduct'],
    targets: { viaduct: 0.95 },
  }),
  loadScenario({
    ...hello,
    id: 'features',
    title: 'WSGI hello beside a route with every feature',
    stacks: ['viaduct/features elsewhere', 'viaduct'],
    targets: { viaduct: 0.97 },
  }),
  loadScenario({
    ...hello,
    id: 'metrics',
    title: 'WSGI hello, with metrics',
    stacks: ['viaduct/metrics', 'viaduct'],
    targets: { viaduct: 0.98 },
    together: true,
  }),
  loadScenario({
    ...hello,
    id: 'operated',
    title: 'WSGI hello, with all that operation offers',
    stacks: ['viaduct/operated', 'viaduct'],
    targets: { viaduct: 0.98 },
    together: true,
  }),
  loadScenario({
    ...hello,
    id: 'operated-django',
    title: 'Django hello, with all that operation offers',
    application: 'django_hello:application',
    stacks: ['viaduct/operated', 'viaduct'],
    targets: { viaduct: 0.98 },
    together: true,
  }),
  processes(),
];

function secure(id, title, request, target) {
  return loadScenario({
    id,
    title,
    stacks: ['viaduct', 'nginx'],
    targets: { nginx: target },
    application: 'hello:application',
    request: { path: '/', ...request, secure: true },
    answer: ANSWER,
    job: { respond: ANSWER },
  });
}

/** The one scenario in which a stack has two cores. The load generator needs others. */
function processes() {
  const scenario = loadScenario({
    id: 'processes',
    title: 'Static file of 1 KB, two cores',
    stacks: ['viaduct/2 processes', 'viaduct'],
    targets: { viaduct: 1.6 },
    application: 'hello:application',
    request: { path: '/static/processes.bin' },
    answer: 1000,
    job: { file: 1000, twoCores: true },
  });
  return {
    ...scenario,
    impossible: () => (availableParallelism() < 4 ? 'it needs four cores, two of them for the load' : undefined),
  };
}
