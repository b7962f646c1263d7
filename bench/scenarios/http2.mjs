import { CHROMIUM_FIELDS } from '../heads.mjs';
import { loadScenario } from './load-scenario.mjs';

const HELLO = 'Hello, world!\n';
/** As the stacks answer it by themselves: 13 bytes. */
const ANSWER = 'Hello, world!';
/** nginx keeps more content than 8 KB in a file, unless it is told to keep so much in memory. */
const BUFFER_BYTES = 64 * 1024;
const HTTP2 = { secure: true, streams: 16 };

/** HTTP/2 over TLS, as browsers speak it. `static.mjs` has its files. */
export const http2Scenarios = [
  answered('http2', 'HTTP/2 over TLS', { nginx: 3, h2o: 0.7, caddy: 15 }, {}),
  answered('http2-browser', "HTTP/2 over TLS, Chromium's head", { nginx: 2.5 }, { fields: CHROMIUM_FIELDS }),
  answered('http2-alone', 'HTTP/2 over TLS, one request at a time', { nginx: 0.95 }, { streams: 1 }, 100),
  called('http2-wsgi', 'WSGI hello over HTTP/2', 'hello:application', { clear: 1.1, nginx: 3 }),
  called('http2-django', 'Django hello over HTTP/2', 'django_hello:application', { clear: 1, nginx: 1.4 }),
  upload('http2-post-10k', 'POST of 10 KB over HTTP/2', 10_000, 16, 1.2),
  upload('http2-post-10m', 'POST of 10 MB over HTTP/2', 10_000_000, 1, 0.8),
];

/** All answer by themselves: what is measured is the way to the answer. */
function answered(id, title, targets, request, connections = 8) {
  return loadScenario({
    id,
    title,
    stacks: ['viaduct', 'nginx', 'h2o', 'caddy'],
    targets,
    application: 'hello:application',
    request: { path: '/', ...HTTP2, ...request },
    answer: ANSWER,
    connections,
    secondsMin: connections > 8 ? 3 : 0,
    job: { respond: ANSWER },
  });
}

/** An application in Python, beside the same by HTTP/1.1 in clear text. */
function called(id, title, application, targets) {
  return loadScenario({
    id,
    title,
    stacks: ['viaduct', 'viaduct/clear HTTP/1.1', 'nginx+uWSGI'],
    targets: { 'viaduct/clear HTTP/1.1': targets.clear, 'nginx+uWSGI': targets.nginx },
    application,
    request: { path: '/', ...HTTP2 },
    answer: HELLO,
    connections: 8,
  });
}

function upload(id, title, bodyBytes, streams, target) {
  return loadScenario({
    id,
    title,
    stacks: ['viaduct', 'nginx+uWSGI', ...(bodyBytes > BUFFER_BYTES ? [] : ['nginx+uWSGI/64 KB buffer'])],
    targets: { 'nginx+uWSGI': target },
    application: 'upload:application',
    request: { path: '/', method: 'POST', bodyBytes, ...HTTP2, streams },
    answer: String(bodyBytes),
    connections: 8,
    secondsMin: bodyBytes > 1_000_000 ? 4 : 0,
  });
}
