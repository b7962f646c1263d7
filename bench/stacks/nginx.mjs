import { userInfo } from 'node:os';
import { join } from 'node:path';
import { startPinned } from '../processes.mjs';
import { findProgram, inspectProgram, writeConfiguration } from './programs.mjs';
import { uwsgiLocation } from './uwsgi-location.mjs';

/** Alone, for an answer of its own, static files and idle connections. @type {import('./index.mjs').Stack} */
export const nginx = {
  inspect: inspectNginx,
  start(job) {
    const { backendUrls = [], respond = 'Hello, world!\n', paths = [], hosts = [] } = job;
    const socket = /^uwsgi:\/\/unix:(.+)$/.exec(backendUrls[0] ?? '')?.[1];
    if (socket !== undefined) return [startNginx(job, uwsgiLocation(socket))];
    if (backendUrls.length === 0) {
      const others = paths.map((path) => answering(path, path));
      return [startNginx(job, [...others, answering('/', respond)], virtualHosts(job.port, hosts, respond))];
    }
    const location = [
      'location / { proxy_pass http://backend; proxy_http_version 1.1; proxy_set_header Connection ""; }',
    ];
    const servers = backendUrls.map((url) => `server ${new URL(url).host};`).join(' ');
    const kept = Math.max(64, 2 * backendUrls.length);
    const upstream = `  upstream backend { ${servers} keepalive ${kept}; keepalive_requests 100000000; }`;
    return [startNginx(job, location, [upstream])];
  },
};

function answering(path, text) {
  return `    location ${path} { return 200 ${JSON.stringify(text)}; }`;
}

/** The hash of names has to be large enough, or nginx does not start. */
function virtualHosts(port, hosts, text) {
  if (hosts.length === 0) return [];
  const servers = hosts.map(
    (host) => `  server { listen 127.0.0.1:${port}; server_name ${host}; ${answering('/', text).trim()} }`,
  );
  return ['  server_names_hash_max_size 65536; server_names_hash_bucket_size 128;', ...servers];
}

/** @returns {import('./programs.mjs').Inspection} */
export function inspectNginx() {
  return inspectProgram('nginx', ['-v']);
}

/**
 * Starts nginx with one worker process, tuned as for production: `sendfile`, descriptors of files kept open, connections kept alive.
 *
 * @param {import('./index.mjs').Job} job
 * @param {readonly string[]} locations of its server block, besides /static/
 * @param {readonly string[]} [blocks] others of its http block
 */
export function startNginx(job, locations, blocks = []) {
  const { directory, port, addresses = [], files, sendfile = true, bodyBuffer, certificate } = job;
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
    '  client_max_body_size 256m;',
    ...(bodyBuffer === undefined ? [] : [`  client_body_buffer_size ${bodyBuffer};`]),
    ...['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((kind) => `  ${kind}_temp_path ${directory}/${kind};`),
    ...blocks,
    '  server {',
    ...listenLines(port, certificate),
    ...addresses.map((address) => `    listen ${address}:${port};`),
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

/** HTTP/2 had its own directive from nginx 1.25.1 on; before, it was a word of `listen`. */
function listenLines(port, certificate) {
  if (certificate === undefined) return [`    listen 127.0.0.1:${port} backlog=4096;`];
  const [major, minor, patch] = inspectNginx().version.split('.').map(Number);
  const directive = major > 1 || minor > 25 || (minor === 25 && patch > 0);
  return [
    `    listen 127.0.0.1:${port} ssl${directive ? '' : ' http2'} backlog=4096;`,
    ...(directive ? ['    http2 on;'] : []),
    `    ssl_certificate ${certificate.certificate}; ssl_certificate_key ${certificate.key};`,
  ];
}
