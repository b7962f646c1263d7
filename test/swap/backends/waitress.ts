import { join } from 'node:path';
import { type StartBackend, startPython, TARGETS } from './backend.ts';

/** waitress speaks HTTP. Whom it believes must be said. */
export const startWaitress: StartBackend = (framework, directory) => {
  const path = join(directory, `waitress-${framework}`);
  const trust = ['--trusted-proxy=*', '--trusted-proxy-headers=x-forwarded-for x-forwarded-proto'];
  const socket = [`--unix-socket=${path}`, '--unix-socket-perms=666', '--threads=8'];
  return startPython('waitress-serve', [...socket, ...trust, TARGETS[framework]], { http: path });
};
