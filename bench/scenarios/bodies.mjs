import { loadScenario } from './load-scenario.mjs';

const SERVERS = ['viaduct', 'granian', 'nginx+gunicorn', 'nginx+uWSGI', 'gunicorn/gthread', 'waitress', 'bjoern'];

/** Content in both directions: received by the application, and made by it. */
export const bodyScenarios = [
  upload('post-10k', 'POST of 10 KB', 10_000, 64),
  upload('post-10m', 'POST of 10 MB', 10_000_000, 8),
  download('response-block', 'Response of 1 MB in one block', '/block'),
  download('response-blocks', 'Response of 1 MB in 1,000 blocks', '/blocks'),
];

function upload(id, title, bodyBytes, connections) {
  const request = { path: '/', method: 'POST', bodyBytes };
  const answer = String(bodyBytes);
  const application = 'upload:application';
  const secondsMin = bodyBytes > 1_000_000 ? 4 : 0;
  return loadScenario({ id, title, stacks: SERVERS, application, request, answer, connections, secondsMin });
}

function download(id, title, path) {
  const application = 'download:application';
  return loadScenario({
    id,
    title,
    stacks: SERVERS,
    application,
    request: { path },
    answer: 1_000_000,
    connections: 16,
  });
}
