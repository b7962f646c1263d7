import { join } from 'node:path';
import { type StartBackend, startPython, TARGETS } from './backend.ts';

const FLAGS = { http: '--http-socket', uwsgi: '--socket', fastcgi: '--fastcgi-socket', scgi: '--scgi-socket' };

/** uWSGI speaks all protocols at once. */
export const startUwsgi: StartBackend = (framework, directory) => {
  const path = (protocol: string) => join(directory, `uwsgi-${framework}-${protocol}`);
  const sockets = { http: path('http'), uwsgi: path('uwsgi'), fastcgi: path('fastcgi'), scgi: path('scgi') };
  const flags = Object.entries(FLAGS).flatMap(([protocol, flag]) => [flag, path(protocol)]);
  const process = ['--master', '--processes', '1', '--threads', '8', '--buffer-size', '32768', '--chmod-socket=666'];
  return startPython('uwsgi', [...flags, ...process, '--need-app', '--module', TARGETS[framework]], sockets);
};
