import { join } from 'node:path';
import { gunicorn, startGunicorn } from './gunicorn.mjs';
import { inspectNginx, startNginx } from './nginx.mjs';
import { inspectAll } from './programs.mjs';

/** As gunicorn's documentation deploys it: sync workers on a Unix socket behind a buffering nginx. @type {import('./index.mjs').Stack} */
export const nginxGunicorn = {
  inspect: () => inspectAll(inspectNginx(), gunicorn.inspect()),
  start(job) {
    const socket = join(job.directory, 'gunicorn.sock');
    const upstream = `  upstream application { server unix:${socket} fail_timeout=0; }`;
    const location = [
      '    location / {',
      '      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;',
      '      proxy_set_header X-Forwarded-Proto $scheme;',
      '      proxy_set_header Host $http_host;',
      '      proxy_redirect off;',
      '      proxy_pass http://application;',
      '    }',
    ];
    return [startGunicorn({ ...job, threads: 1 }, `unix:${socket}`), startNginx(job, location, [upstream])];
  },
};
