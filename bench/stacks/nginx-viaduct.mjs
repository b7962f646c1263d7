import { join } from 'node:path';
import { startPinned } from '../processes.mjs';
import { inspectNginx, startNginx } from './nginx.mjs';
import { PYTHON, ROOT } from './programs.mjs';
import { uwsgiLocation } from './uwsgi-location.mjs';

/** Our application server alone on a Unix socket behind nginx, over uwsgi or kept HTTP connections. @type {import('./index.mjs').Stack} */
export const nginxViaduct = {
  inspect: inspectNginx,
  start(job) {
    const socket = join(job.directory, 'app.sock');
    const serve = [join(ROOT, 'bin/viaduct.js'), 'app', job.application, '--chdir', job.chdir, '--python', PYTHON];
    const size = ['--workers', String(job.workers), '--threads', String(job.threads), '--access-log', 'off'];
    const app = startPinned(process.execPath, [...serve, ...size, '--listen', `${job.protocol}://unix:${socket}`], job);
    if (job.protocol === 'uwsgi') return [app, startNginx(job, uwsgiLocation(socket))];
    const location = ['location / { proxy_pass http://app; proxy_http_version 1.1; proxy_set_header Connection ""; }'];
    const upstream = `  upstream app { server unix:${socket}; keepalive 64; keepalive_requests 100000000; }`;
    return [app, startNginx(job, location, [upstream])];
  },
};
