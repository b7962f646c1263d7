import { takePlace, written } from '../addresses.ts';
import { type RunningBackend, type StartBackend, startPython, TARGETS } from './backend.ts';

/** A connection of the uwsgi protocol has one request: a front may await its end. */
const KEEP_ALIVE_S = { http: '60', uwsgi: '0' };

/** gunicorn: one process for each protocol, because one speaks only one. */
export const startGunicorn: StartBackend = async (framework) => {
  const start = (protocol: 'http' | 'uwsgi'): Promise<RunningBackend> => {
    const place = takePlace();
    const bind = ['--bind', written(place), '--protocol', protocol, '--no-control-socket'];
    const workers = [
      '--workers',
      '1',
      '--worker-class',
      'gthread',
      '--threads',
      '8',
      '--keep-alive',
      KEEP_ALIVE_S[protocol],
    ];
    return startPython('gunicorn', [...bind, ...workers, TARGETS[framework]], { [protocol]: place });
  };
  const [http, uwsgi] = await Promise.all([start('http'), start('uwsgi')]);
  return {
    places: { ...http.places, ...uwsgi.places },
    async stop() {
      await Promise.all([http.stop(), uwsgi.stop()]);
    },
  };
};
