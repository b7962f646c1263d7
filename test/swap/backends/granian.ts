import { freeAddress } from '../addresses.ts';
import { type StartBackend, startPython, TARGETS } from './backend.ts';

/** granian, which has HTTP only. */
export const startGranian: StartBackend = (t, framework) => {
  const address = freeAddress();
  const socket = ['--host', address.host, '--port', `${address.port}`];
  const workers = ['--interface', 'wsgi', '--workers', '1', '--blocking-threads', '8', '--no-ws'];
  return startPython(t, 'granian', [...socket, ...workers, TARGETS[framework]], { http: address });
};
