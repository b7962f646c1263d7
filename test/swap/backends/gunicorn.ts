import { takePlace, written } from '../addresses.ts';
import { type RunningBackend, type StartBackend, startPython, TARGETS } from './backend.ts';

/** gunicorn: one process for each protocol, because one speaks only one. */
export const startGunicorn: StartBackend = async (framework) => {
  const start = (protocol: 'http' | 'uwsgi'): Promise<RunningBackend> => {
    const place = takePlace();
    const bind = ['--bind', written(place), '--protocol', protocol, '--no-control-socket'];
    const workers = ['--workers', '1', '--worker-class', 'gthread', '--threads', '8', '--keep-alive', '60'];
    return startPython('gunicorn', [...bind, ...workers, TARGETS[framework]], { [protocol]: place });
  };
  const [http, uwsgi] = await Promise.all([start('http'), start('uwsgi')]);
  return {
    places: { ...http.places, ...uwsgi.places },
    output: () => http.output() + uwsgi.output(),
    async stop() {
      await Promise.all([http.stop(), uwsgi.stop()]);
    },
  };
};
