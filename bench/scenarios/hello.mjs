import { BROWSER_FIELDS, CHANGING_FIELDS } from '../heads.mjs';
import { loadScenario } from './load-scenario.mjs';

const ANSWER = 'Hello, world!\n';
const SERVERS = ['granian', 'nginx+gunicorn', 'nginx+uWSGI', 'gunicorn/gthread', 'waitress', 'bjoern'];
const WSGI_TARGETS = { granian: 1.05, 'nginx+gunicorn': 8, 'nginx+uWSGI': 2.5 };
const DJANGO_TARGETS = { 'bare loop': 0.8, granian: 1.05, 'nginx+gunicorn': 2.3, 'nginx+uWSGI': 1.25 };

const wsgi = {
  title: 'WSGI hello',
  application: 'hello:application',
  stacks: ['viaduct', ...SERVERS],
  targets: WSGI_TARGETS,
  answer: ANSWER,
};

const django = {
  title: 'Django hello',
  application: 'django_hello:application',
  stacks: ['viaduct', 'bare loop', ...SERVERS],
  targets: DJANGO_TARGETS,
  answer: ANSWER,
};

/** The smallest answer, bare and through Django, with `wrk`'s head and with a browser's. */
export const helloScenarios = [
  loadScenario({ ...wsgi, id: 'hello', request: { path: '/' } }),
  loadScenario({ ...browser(wsgi), id: 'hello-browser' }),
  loadScenario({
    ...wsgi,
    id: 'hello-changing',
    title: "WSGI hello, a browser's head with a field that changes",
    stacks: ['viaduct', 'granian', 'nginx+uWSGI'],
    targets: { granian: 0.9, 'nginx+uWSGI': 2.5 },
    request: { path: '/', fields: CHANGING_FIELDS },
  }),
  loadScenario({ ...django, id: 'django', request: { path: '/' } }),
  loadScenario({ ...browser(django), id: 'django-browser' }),
  loadScenario({
    id: 'django-startproject',
    title: "Django hello, a browser's head, all middlewares of startproject",
    application: 'django_startproject:application',
    stacks: ['viaduct', 'bare loop', 'granian', 'nginx+gunicorn', 'nginx+uWSGI'],
    answer: ANSWER,
    request: { path: '/', fields: BROWSER_FIELDS },
  }),
];

/** Here also what the default number of threads costs. */
function browser(scenario) {
  const stacks = [...scenario.stacks, 'viaduct/4 threads'];
  return {
    ...scenario,
    stacks,
    title: `${scenario.title}, a browser's head`,
    request: { path: '/', fields: BROWSER_FIELDS },
  };
}
