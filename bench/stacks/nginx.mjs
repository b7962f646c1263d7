import { userInfo } from 'node:os';
import { join } from 'node:path';
import { startPinned } from '../processes.mjs';
import { findProgram, inspectProgram, writeConfiguration } from './programs.mjs';
import { uwsgiLocation } from './uwsgi-location.mjs';

/** Alone, for static files and idle connections. @type {import('./index.mjs').Stack} */
export const nginx = {
  inspect: inspectNginx,
  start(job) {
    const { backendUrls = [] } = job;
    const socket = /^uwsgi:\/\/unix:(.+)$/.exec(backendUrls[0] ?? '')?.[1];
    if (socket !== undefined) return [startNginx(job, uwsgiLocation(socket))];
    if (backendUrls.length === 0) return [startNginx(job, ['location / { return 200 "Hello, world!\\n"; }'])];
    const location = [
      'location / { proxy_pass http://backend; proxy_http_version 1.1; proxy_set_header Connection ""; }',
    ];
    const servers = backendUrls.map((url) => `server ${new URL(url).host};`).join(' ');
    const upstream = `  upstream backend { ${servers} keepalive 64; keepalive_requests 100000000; }`;
    return [startNginx(job, location, [upstream])];
  },
};

/** @returns {import('./programs.mjs').Inspection} */
export function inspectNginx() {
  return inspectProgram('nginx', ['-v']);
}

/**
 * Starts nginx with one worker process, tuned as for production: `sendfile`, descriptors of files kept open, connections kept alive.
 *
 * @param {import('./index.mjs').Job} job
 * @param {readonly string[]} locations of its server block, besides /static/
 * @param {readonly string[]} [upstreams] of its http block
 */
export function startNginx(job, locations, upstreams = []) {
  const { directory, port, files, sendfile = true, certificate } = job;
  const configuration = writeConfiguration(job, 'nginx.conf', [
    ...(process.getuid?.() === 0 ? [`user ${userInfo().username};`] : []),
    'daemon off;',
    'worker_processes 1;',
    'worker_rlimit_nofile 20000;',
    `pid ${directory}/nginx.pid;`,
    `error_log ${directory}/nginx.log warn;`,
    'events { worker_connections 16384; }',
    'http {',
    '  types { text/css css; application/octet-stream bin; }',
    '  access_log off;',
    `  sendfile ${sendfile ? 'on' : 'off'}; tcp_nopush on; tcp_nodelay on;`,
    '  open_file_cache max=1000 inactive=60s; open_file_cache_valid 1s;',
    '  keepalive_timeout 75s; keepalive_requests 100000000;',
    '  client_max_body_size 64m;',
    ...['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((kind) => `  ${kind}_temp_path ${directory}/${kind};`),
    ...upstreams,
    '  server {',
    `    listen 127.0.0.1:${port}${certificate === undefined ? '' : ' ssl http2'} backlog=4096;`,
    ...(certificate === undefined
      ? []
      : [`    ssl_certificate ${certificate.certificate}; ssl_certificate_key ${certificate.key};`]),
    ...(files === undefined ? [] : [`    location /static/ { alias ${files}/; }`]),
    ...locations,
    '  }',
    '}',
  ]);
  return startPinned(
    findProgram('nginx'),
    ['-p', directory, '-c', configuration, '-e', join(directory, 'nginx.log')],
    job,
  );
}
