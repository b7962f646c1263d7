import { formatAddress, freeAddress } from '../addresses.ts';
import { BACKEND_PROTOCOLS } from '../cells.ts';
import { type StartBackend, startPython, TARGETS } from './backend.ts';

const FLAGS = { http: '--http-socket', uwsgi: '--socket', fastcgi: '--fastcgi-socket', scgi: '--scgi-socket' };

/** uWSGI, which has all protocols at once. */
export const startUwsgi: StartBackend = (t, framework) => {
  const addresses = { http: freeAddress(), uwsgi: freeAddress(), fastcgi: freeAddress(), scgi: freeAddress() };
  const flags = BACKEND_PROTOCOLS.uWSGI.flatMap((protocol) => [FLAGS[protocol], formatAddress(addresses[protocol])]);
  const workers = ['--master', '--processes', '1', '--threads', '8', '--buffer-size', '32768'];
  return startPython(t, 'uwsgi', [...flags, ...workers, '--need-app', '--module', TARGETS[framework]], addresses);
};
