import { takePlace, written } from '../addresses.ts';
import { BACKEND_PROTOCOLS } from '../cells.ts';
import { type StartBackend, startPython, TARGETS } from './backend.ts';

const FLAGS = { http: '--http-socket', uwsgi: '--socket', fastcgi: '--fastcgi-socket', scgi: '--scgi-socket' };

/** uWSGI speaks all protocols at once. */
export const startUwsgi: StartBackend = (framework) => {
  const places = { http: takePlace(), uwsgi: takePlace(), fastcgi: takePlace(), scgi: takePlace() };
  const flags = BACKEND_PROTOCOLS.uWSGI.flatMap((protocol) => [FLAGS[protocol], written(places[protocol])]);
  const workers = ['--master', '--processes', '1', '--threads', '8', '--buffer-size', '32768'];
  return startPython('uwsgi', [...flags, ...workers, '--need-app', '--module', TARGETS[framework]], places);
};
