import { join } from 'node:path';
import { startPinned } from '../processes.mjs';
import { inspectNginx, startNginx } from './nginx.mjs';
import { findProgram, inspectAll, inspectProgram, VENV, writeConfiguration } from './programs.mjs';
import { uwsgiLocation } from './uwsgi-location.mjs';

/** uWSGI's own protocol on a Unix socket behind nginx. @type {import('./index.mjs').Stack} */
export const nginxUwsgi = {
  inspect: () => inspectAll(inspectNginx(), inspectProgram('uwsgi')),
  start(job) {
    const socket = join(job.directory, 'uwsgi.sock');
    return [startUwsgi(job, socket), startNginx(job, uwsgiLocation(socket))];
  },
};

/** uWSGI with its own protocol on a Unix socket. */
export function startUwsgi(job, socket) {
  const settings = writeConfiguration(job, 'uwsgi.ini', [
    '[uwsgi]',
    'strict = true',
    `socket = ${socket}`,
    'listen = 1024',
    'master = true',
    `processes = ${job.workers}`,
    ...(job.threads > 1 ? [`threads = ${job.threads}`] : []),
    `virtualenv = ${VENV}`,
    `chdir = ${job.chdir}`,
    `module = ${job.application}`,
    'need-app = true',
    'single-interpreter = true',
    'vacuum = true',
    'die-on-term = true',
    'disable-logging = true',
  ]);
  return startPinned(findProgram('uwsgi'), ['--ini', settings], job);
}
