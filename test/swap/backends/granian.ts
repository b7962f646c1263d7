import { join } from 'node:path';
import { type StartBackend, startPython, TARGETS } from './backend.ts';

/** granian speaks HTTP. */
export const startGranian: StartBackend = (framework, directory) => {
  const path = join(directory, `granian-${framework}`);
  const socket = ['--uds', path, '--uds-permissions', '666'];
  const process = ['--interface', 'wsgi', '--workers', '1', '--blocking-threads', '8', '--no-ws'];
  return startPython('granian', [...socket, ...process, TARGETS[framework]], { http: path });
};
