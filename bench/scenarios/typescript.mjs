import { BROWSER_FIELDS } from '../heads.mjs';
import { loadScenario } from './load-scenario.mjs';

const ANSWER = 'Hello, world!\n';
const hello = { application: 'hello:application', answer: ANSWER };
const typescript = {
  ...hello,
  title: 'TypeScript hello by the WSGI contract',
  stacks: ['viaduct/TypeScript', 'viaduct/respond'],
  targets: { 'viaduct/respond': 0.8 },
};
const chain = {
  ...hello,
  title: 'WSGI hello in Python behind five TypeScript middlewares',
  stacks: ['viaduct/5 middlewares', 'viaduct'],
  targets: { viaduct: 0.85 },
};

/** What WSGI costs in TypeScript: an application, and middleware around a Python application. */
export const typescriptScenarios = [
  loadScenario({ ...typescript, id: 'typescript', request: { path: '/' } }),
  loadScenario({ ...browser(typescript), id: 'typescript-browser' }),
  loadScenario({ ...chain, id: 'chain', request: { path: '/' } }),
  loadScenario({ ...browser(chain), id: 'chain-browser' }),
  loadScenario({
    id: 'mounted',
    title: 'Django hello in Express: mounted, and passed on by HTTP',
    application: 'django_hello:application',
    stacks: ['express+viaduct', 'express+gunicorn'],
    targets: { 'express+gunicorn': 2 },
    request: { path: '/' },
    answer: ANSWER,
  }),
];

function browser(scenario) {
  return { ...scenario, title: `${scenario.title}, a browser's head`, request: { path: '/', fields: BROWSER_FIELDS } };
}
