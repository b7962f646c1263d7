import { loadScenario } from './load-scenario.mjs';

const ANSWER = 'Hello, world!\n';
const PAGE = '<!doctype html><html><body>Hello, world!</body></html>';
const hello = { application: 'hello:application', request: { path: '/' }, answer: ANSWER };
const django = { application: 'django_hello:application', request: { path: '/' }, answer: ANSWER };
const startproject = { ...django, application: 'django_startproject:application' };
const queries = { application: 'django_queries:application', request: { path: '/queries' }, answer: PAGE };

const SAMPLED = 'viaduct/1 % traced';
/** With one request in a hundred, the code for traces runs so rarely that V8 optimises it only after a while. */
const SAMPLED_WARM_UP_SECONDS = 10;

/** What traces cost: of every request in full, and of one in a hundred. The two stacks share a core at the same time. */
export const traceScenarios = [
  traced('trace-hello-sampled', 'WSGI hello, 1 % of the requests traced', hello, SAMPLED, 0.99),
  traced('trace-django-sampled', 'Django hello, 1 % of the requests traced', django, SAMPLED, 0.99),
  traced('trace-django', 'Django hello, every request traced', django, 'viaduct/traced', 1 / 1.15),
  traced(
    'trace-startproject',
    'Django hello with all middlewares of startproject, every request traced',
    startproject,
    'viaduct/traced',
    1 / 1.15,
  ),
  traced('trace-queries', 'Django view with ten queries, every request traced', queries, 'viaduct/traced', 1 / 1.25),
  {
    ...loadScenario({
      ...queries,
      answer: /Hello, world!/, // a tool adds itself to the page
      id: 'trace-tools',
      title: 'Django view with ten queries, traced, and with other tools that show a request',
      stacks: ['viaduct/traced', 'viaduct', 'viaduct/Django Debug Toolbar', 'viaduct/Silk'],
      connections: 4,
    }),
    roundsMax: 3,
  },
];

function traced(id, title, scenario, stack, target) {
  return loadScenario({
    ...scenario,
    id,
    title,
    stacks: [stack, 'viaduct'],
    targets: { viaduct: target },
    together: true,
    ...(stack === SAMPLED ? { warmUpSeconds: SAMPLED_WARM_UP_SECONDS } : {}),
  });
}
