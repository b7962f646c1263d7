import { join } from 'node:path';
import { type RunningBackend, type StartBackend, startPython, TARGETS } from './backend.ts';

/** gunicorn: one process for each protocol, because one speaks only one. */
export const startGunicorn: StartBackend = async (framework, directory) => {
  const start = (protocol: 'http' | 'uwsgi'): Promise<RunningBackend> => {
    const path = join(directory, `gunicorn-${framework}-${protocol}`);
    const bind = ['--bind', `unix:${path}`, '--umask', '0', '--protocol', protocol, '--no-control-socket'];
    const workers = ['--workers', '1', '--worker-class', 'gthread', '--threads', '8', '--keep-alive', '60'];
    return startPython('gunicorn', [...bind, ...workers, TARGETS[framework]], { [protocol]: path });
  };
  const [http, uwsgi] = await Promise.all([start('http'), start('uwsgi')]);
  return {
    sockets: { ...http.sockets, ...uwsgi.sockets },
    output: () => http.output() + uwsgi.output(),
    async stop() {
      await Promise.all([http.stop(), uwsgi.stop()]);
    },
  };
};
