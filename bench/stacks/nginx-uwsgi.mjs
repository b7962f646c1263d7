import { join } from 'node:path';
import { startPinned } from '../processes.mjs';
import { inspectNginx, startNginx } from './nginx.mjs';
import { findProgram, inspectAll, inspectProgram, VENV, writeConfiguration } from './programs.mjs';

/** `uwsgi_params` of the nginx package, which not every package holds. */
const PARAMETERS = [
  'QUERY_STRING $query_string',
  'REQUEST_METHOD $request_method',
  'CONTENT_TYPE $content_type',
  'CONTENT_LENGTH $content_length',
  'REQUEST_URI $request_uri',
  'PATH_INFO $document_uri',
  'DOCUMENT_ROOT $document_root',
  'SERVER_PROTOCOL $server_protocol',
  'REQUEST_SCHEME $scheme',
  'HTTPS $https if_not_empty',
  'REMOTE_ADDR $remote_addr',
  'REMOTE_PORT $remote_port',
  'SERVER_PORT $server_port',
  'SERVER_NAME $server_name',
];

/** uWSGI's own protocol on a Unix socket behind nginx. @type {import('./index.mjs').Stack} */
export const nginxUwsgi = {
  inspect: () => inspectAll(inspectNginx(), inspectProgram('uwsgi')),
  start(job) {
    const socket = join(job.directory, 'uwsgi.sock');
    const parameters = PARAMETERS.map((parameter) => `      uwsgi_param ${parameter};`);
    const location = ['    location / {', ...parameters, `      uwsgi_pass unix:${socket};`, '    }'];
    return [startUwsgi(job, socket), startNginx(job, location)];
  },
};

function startUwsgi(job, socket) {
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
