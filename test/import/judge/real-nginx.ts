import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Lifetime } from '../../support/lifetime.ts';
import { nestedLifetime } from '../../support/lifetime.ts';
import { startPeer } from '../../support/peer.ts';

export interface RealNginx {
  stop(): Promise<void>;
}

/** Starts nginx with `http` as the content of its http block. Returns what nginx says if it refuses the configuration. */
export async function startRealNginx(t: Lifetime, directory: string, http: string): Promise<RealNginx | string> {
  const pid = join(directory, 'pid');
  const file = join(directory, 'nginx.conf');
  for (const name of ['pid', 'listen.sock', 'declarations.sock']) rmSync(join(directory, name), { force: true });
  writeFileSync(file, wrapped(directory, http));
  const releases: (() => void | Promise<void>)[] = [];
  const own = nestedLifetime({ after: (release) => void releases.push(release) });
  const stop = async () => {
    for (const release of releases.splice(0)) await release();
  };
  t.after(stop);
  try {
    // nginx writes its pid after it listens
    await startPeer(own, 'nginx', ['-p', directory, '-e', join(directory, 'error.log'), '-c', file], {
      ready: () => existsSync(pid),
    });
    return { stop };
  } catch (error) {
    await stop();
    return error instanceof Error ? error.message : String(error);
  }
}

function wrapped(directory: string, http: string): string {
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${directory}/${name};`,
  );
  return `daemon off; master_process off; pid ${directory}/pid; error_log ${directory}/error.log crit;
events { }
http {
access_log off; ${paths.join(' ')}
${http}}
`;
}
