import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Lifetime } from './lifetime.ts';
import { missing, type Peer, startPeer } from './peer.ts';

/** For `{ skip: NO_NGINX }`: false if nginx is installed, otherwise the reason to skip. */
export const NO_NGINX = missing('nginx');

/** Where nginx listens, unless its configuration says otherwise. */
export function nginxSocket(directory: string): string {
  return join(directory, 'nginx.sock');
}

/**
 * Starts nginx with `http` as its http block. `DIR` in it is `directory`, where nginx has all of its files. By default nginx is ready
 * once the socket `DIR/nginx.sock` exists, on which a server of the block must listen.
 */
export function startNginx(
  t: Lifetime,
  directory: string,
  http: string,
  ready: () => boolean | Promise<boolean> = () => existsSync(nginxSocket(directory)),
): Promise<Peer> {
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path DIR/${name};`);
  const configuration = `daemon off; master_process off; pid DIR/pid; error_log DIR/error.log;
events { }
http { access_log off; ${paths.join(' ')} ${http} }
`;
  const file = join(directory, 'nginx.conf');
  writeFileSync(file, configuration.replaceAll('DIR', directory));
  return startPeer(t, 'nginx', ['-p', directory, '-c', file], { ready });
}
