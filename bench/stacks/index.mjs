import { join } from 'node:path';
import { bareLoop } from './bare-loop.mjs';
import { bjoern } from './bjoern.mjs';
import { caddy } from './caddy.mjs';
import { expressGunicorn, expressViaduct } from './express.mjs';
import { granian } from './granian.mjs';
import { gunicorn } from './gunicorn.mjs';
import { h2o } from './h2o.mjs';
import { nginx } from './nginx.mjs';
import { nginxGunicorn } from './nginx-gunicorn.mjs';
import { nginxUwsgi } from './nginx-uwsgi.mjs';
import { nginxViaduct } from './nginx-viaduct.mjs';
import { APPS } from './programs.mjs';
import { viaduct } from './viaduct.mjs';
import { waitress } from './waitress.mjs';

/**
 * What a stack is to serve, and where.
 *
 * @typedef {object} Job
 * @property {string} application MODULE:CALLABLE
 * @property {string} chdir directory of the application
 * @property {number} port of 127.0.0.1
 * @property {number} workers
 * @property {number} threads of each worker
 * @property {number | string} core a core, or several with commas
 * @property {string} directory its own, empty
 * @property {string} log file for what it writes
 * @property {string} [files] directory to serve below /static/
 * @property {{ certificate: string, key: string }} [certificate] paths, to speak TLS
 * @property {string} [respond] text that the stack answers by itself
 * @property {readonly string[]} [paths] prefixes of others, each with an answer of its own
 * @property {readonly string[]} [hosts] names of virtual hosts, each of which answers `respond`
 * @property {number} [streams] requests at a time on a connection of HTTP/2, where the default may be less
 * @property {readonly string[]} [backendUrls] where to pass requests on to
 * @property {readonly string[]} [addresses] where to listen besides 127.0.0.1
 * @property {boolean} [web] the web server alone
 * @property {string} [balance] how Viaduct chooses among them
 * @property {readonly string[]} [site] lines of viaduct.toml
 * @property {number} [processes]
 * @property {string} [root] checkout that holds Viaduct; this one when absent
 * @property {readonly import('node:child_process').ChildProcess[]} helpers what runs beside the stack
 * @property {boolean} [preload] import before forking, where that is not the default
 * @property {boolean} [sendfile] false to read files and write them
 * @property {string} [bodyBuffer] content of this size stays in memory, where the default is less
 * @property {boolean} [unshared] share no program file with others, because memory is measured
 * @property {boolean} [collectable] collect garbage at SIGUSR2, where there is a collector
 * @property {readonly (readonly [string, string])[]} [fields] header fields of the requests, for a stack that makes its own
 */

/**
 * A stack that runs.
 *
 * @typedef {object} Server
 * @property {string} name
 * @property {Stack} stack
 * @property {number} port
 * @property {string} log
 * @property {string} directory its own
 * @property {Job} job
 * @property {readonly import('node:child_process').ChildProcess[]} children
 */

/**
 * A server, or several that work together.
 *
 * @typedef {object} Stack
 * @property {() => import('./programs.mjs').Inspection} inspect
 * @property {(job: Job) => import('node:child_process').ChildProcess[]} start
 * @property {(server: Server) => Promise<void>} [ready] when it has no port to ask
 * @property {(server: Server, seconds: number) => Promise<object>} [load] when no load generator can reach it; as `runWrk`
 * @property {Partial<Job>} [changes] what a variant changes of each job
 * @property {boolean} [clear] it speaks HTTP/1.1 in clear text in every scenario
 * @property {(server: Server) => void} [collect] frees what is garbage, when the job was `collectable`
 */

/** Routes of all kinds that the measured request does not take: half of them paths, the others of hosts. */
function manyRoutes(count) {
  return Array.from({ length: count }, (_, index) => {
    const match = index % 2 === 0 ? `path = "/part-${index}/section/*"` : `host = "host-${index}.example"`;
    return `[[route]]\n${match}\nrespond = { body = "${index}" }`;
  });
}

const FEATURES_ELSEWHERE = [
  '[[route]]',
  'path = "/elsewhere/*"',
  'compression = true',
  'security_headers = true',
  'rate_limit = { rate = "100/s", burst = 100 }',
  'request_limit = { max = 10 }',
  'cors = { origins = "*" }',
  'access = { allow = "all" }',
  'headers = { set = { X-Test = "{path}" } }',
  'rewrite = { prefix = "/elsewhere", replacement = "/" }',
];

/** What operation may ask of each request or worker. Deadlines and the queue's counters are always on. */
const OPERATED = [
  'admin = "127.0.0.1:0"',
  'application_metrics = true',
  'request_id = true',
  'capture_output = true',
  'max_requests = 1000000',
  'max_lifetime_ms = "1h"',
  'max_rss_bytes = "1GiB"',
];

const NOOP = JSON.stringify(join(APPS, 'noop.mjs'));

/** By the names that scenarios, tables and the chart use. A name after `/` is a variant. @type {Record<string, Stack>} */
export const STACKS = {
  viaduct,
  'viaduct/clear HTTP/1.1': { ...viaduct, clear: true },
  'viaduct/4 threads': variant(viaduct, { threads: 4 }),
  'viaduct/16 workers of 64 threads': variant(viaduct, { workers: 16, threads: 64 }),
  'viaduct/200 routes': variant(viaduct, { site: manyRoutes(200) }),
  'viaduct/features elsewhere': variant(viaduct, { site: FEATURES_ELSEWHERE }),
  'viaduct/metrics': variant(viaduct, { site: ['admin = "127.0.0.1:0"'] }),
  'viaduct/operated': variant(viaduct, { site: OPERATED }),
  'viaduct/traced': variant(viaduct, { site: ['[trace]', 'sample = 1'] }),
  'viaduct/1 % traced': variant(viaduct, { site: ['[trace]', 'sample = 0.01'] }),
  'viaduct/Django Debug Toolbar': variant(viaduct, { application: 'django_toolbar:application' }),
  'viaduct/Silk': variant(viaduct, { application: 'django_silk:application' }),
  'viaduct/TypeScript': variant(viaduct, { application: join(APPS, 'hello.mjs') }),
  'viaduct/respond': variant(viaduct, { site: ['[[route]]', 'respond = { body = "Hello, world!\\n" }'] }),
  'viaduct/5 middlewares': variant(viaduct, { site: [`middleware = [${Array(5).fill(NOOP).join(', ')}]`] }),
  'viaduct/recycling': variant(viaduct, { site: ['max_requests = 1000'] }),
  'viaduct/2 processes': variant(viaduct, { processes: 2, workers: 2 }),
  'bare loop': bareLoop,
  'bare node': { inspect: () => ({ version: process.versions.node }), start: () => [] },
  bjoern,
  caddy,
  'express+viaduct': expressViaduct,
  'express+gunicorn': expressGunicorn,
  granian,
  gunicorn,
  'gunicorn/preload': variant(gunicorn, { preload: true }),
  'gunicorn/gthread': variant(gunicorn, { threads: 4 }),
  h2o,
  nginx,
  'nginx/no sendfile': variant(nginx, { sendfile: false }),
  'nginx+gunicorn': nginxGunicorn,
  'nginx+uWSGI': nginxUwsgi,
  'nginx+uWSGI/64 KB buffer': variant(nginxUwsgi, { bodyBuffer: '64k' }),
  'nginx+viaduct/http': variant(nginxViaduct, { protocol: 'http' }),
  'nginx+viaduct/uwsgi': variant(nginxViaduct, { protocol: 'uwsgi' }),
  'viaduct/least connections': variant(viaduct, { balance: 'least-connections' }),
  'viaduct/random two': variant(viaduct, { balance: 'random-two' }),
  waitress,
};

/**
 * A scenario's request as this stack gets it.
 *
 * @param {Stack} stack
 * @param {import('../load.mjs').Request} request
 */
export function spoken(stack, request) {
  return stack.clear === true ? { ...request, secure: false, streams: undefined } : request;
}

/** The name of the stack that `--before` adds. */
export const BEFORE = 'viaduct/before';

/** Adds Viaduct of an earlier commit, built in the checkout `root`. */
export function addBefore(root) {
  STACKS[BEFORE] = variant(viaduct, { root });
}

function variant(stack, changes) {
  return { ...stack, changes, start: (job) => stack.start({ ...job, ...changes }) };
}
