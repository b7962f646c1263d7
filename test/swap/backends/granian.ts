import { takePlace } from '../addresses.ts';
import { type StartBackend, startPython, TARGETS } from './backend.ts';

/** granian speaks HTTP. */
export const startGranian: StartBackend = (framework) => {
  const place = takePlace();
  const socket = ['--host', place.host, '--port', `${place.port}`];
  const workers = ['--interface', 'wsgi', '--workers', '1', '--blocking-threads', '8', '--no-ws'];
  return startPython('granian', [...socket, ...workers, TARGETS[framework]], { http: place });
};
