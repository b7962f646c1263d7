import { chmodSync, mkdirSync } from 'node:fs';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';
import type { Lifetime } from './lifetime.ts';
import { findProgram, missing, type Peer, startPeer } from './peer.ts';

const DIRECTORY = '/usr/lib/apache2/modules';
const MODULES = [
  ...['mpm_event', 'authz_core', 'authz_host', 'authz_user', 'authn_core', 'authn_file', 'auth_basic', 'access_compat'],
  ...['alias', 'dir', 'mime', 'autoindex', 'headers', 'rewrite', 'setenvif', 'env', 'proxy', 'proxy_http', 'wsgi'],
];

/** For `{ skip: NO_APACHE }`: false if Apache with mod_wsgi is installed, otherwise the reason to skip. */
export const NO_APACHE = missing('apache2');

/** Starts Apache with a configuration of sites alone. Its modules and its own files are not in this configuration. */
export async function startApacheSite(t: Lifetime, directory: string, file: string, port: number): Promise<Peer> {
  const run = join(directory, 'run');
  mkdirSync(run, { recursive: true });
  // its workers run as another user
  for (const path of [dirname(directory), directory, run]) chmodSync(path, 0o755);
  const identity = process.getuid?.() === 0 ? ['User www-data', 'Group www-data'] : [];
  const before = [
    ...MODULES.map((name) => `LoadModule ${name}_module ${DIRECTORY}/mod_${name}.so`),
    ...[`DefaultRuntimeDir ${run}`, `PidFile ${run}/pid`, `ErrorLog ${run}/error.log`, 'ServerName localhost'],
    ...['TypesConfig /etc/mime.types', 'StartServers 1', `WSGISocketPrefix ${run}/wsgi`],
    ...identity,
  ];
  const args = ['-D', 'FOREGROUND', '-d', directory, '-f', file, ...before.flatMap((line) => ['-C', line])];
  const name = findProgram('apache2') === null ? 'httpd' : 'apache2';
  return startPeer(t, name, args, { ready: () => isOpen(port) });
}

function isOpen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
