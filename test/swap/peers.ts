import { spawnSync } from 'node:child_process';
import { findProgram, missing } from '../support/peer.ts';
import { NO_PACKAGES } from '../support/viaduct.ts';
import type { StartBackend } from './backends/backend.ts';
import { startGranian } from './backends/granian.ts';
import { startGunicorn } from './backends/gunicorn.ts';
import { startUwsgi } from './backends/uwsgi.ts';
import { startViaductApp } from './backends/viaduct.ts';
import { startWaitress } from './backends/waitress.ts';
import type { BackendName, FrontEndName } from './cells.ts';
import { startApache } from './front-ends/apache.ts';
import type { StartFrontEnd } from './front-ends/front-end.ts';
import { startHaproxy } from './front-ends/haproxy.ts';
import { startLighttpd } from './front-ends/lighttpd.ts';
import { startNginx } from './front-ends/nginx.ts';
import { startViaductWeb } from './front-ends/viaduct.ts';

/** A server of the matrix: the function that starts it, and the reason to skip it if it is not installed. */
interface Peer<Start> {
  readonly start: Start;
  readonly missing: string | false;
}

interface FrontEndPeer extends Peer<StartFrontEnd> {
  readonly program: string;
  /** The version that has the expected deviations; null for Viaduct. */
  readonly version: string | null;
}

export const FRONT_END_PEERS: Readonly<Record<FrontEndName, FrontEndPeer>> = {
  nginx: { start: startNginx, missing: missing('nginx'), program: 'nginx', version: '1.22.1' },
  Apache: { start: startApache, missing: missing('apache2'), program: 'apache2', version: '2.4.71' },
  lighttpd: { start: startLighttpd, missing: missing('lighttpd'), program: 'lighttpd', version: '1.4.69' },
  HAProxy: { start: startHaproxy, missing: missing('haproxy'), program: 'haproxy', version: '2.6.12' },
  Viaduct: { start: startViaductWeb, missing: false, program: 'viaduct', version: null },
};

export const BACKEND_PEERS: Readonly<Record<BackendName, Peer<StartBackend>>> = {
  gunicorn: { start: startGunicorn, missing: missing('gunicorn') },
  uWSGI: { start: startUwsgi, missing: missing('uwsgi') },
  waitress: { start: startWaitress, missing: missing('waitress-serve') },
  granian: { start: startGranian, missing: missing('granian') },
  Viaduct: { start: startViaductApp, missing: NO_PACKAGES },
};

/** The versions of the front-end proxies, and of the application servers in test/requirements.txt. */
export function versions(requirements: string): string[] {
  const frontEnds = Object.entries(FRONT_END_PEERS).flatMap(([name, { version }]) =>
    version === null ? [] : `${name} ${version}`,
  );
  const backends = Object.keys(BACKEND_PEERS).flatMap((name) => {
    const pinned = new RegExp(`^${name}==(.+)$`, 'im').exec(requirements)?.[1];
    return pinned === undefined ? [] : `${name} ${pinned}`;
  });
  return [...frontEnds, ...backends];
}

/** False if another version of the front-end proxy is installed than the one with the expected deviations. */
export function isKnown({ program, version }: FrontEndPeer): boolean {
  const path = findProgram(program);
  if (version === null || path === null) return true;
  const { stdout, stderr } = spawnSync(path, ['-v'], { encoding: 'utf8' });
  return /\d+\.\d+\.\d+/.exec(stdout + stderr)?.[0] === version;
}
