import { formatAddress, freeAddress } from '../addresses.ts';
import { type Addresses, type StartBackend, startPython, TARGETS } from './backend.ts';

/** A uwsgi connection has one request, so a front-end proxy may wait for its end. */
const KEEP_ALIVE_S = { http: '60', uwsgi: '0' };

/** gunicorn, with one process for each protocol, because a process has only one. */
export const startGunicorn: StartBackend = async (t, framework) => {
  const start = (protocol: 'http' | 'uwsgi'): Promise<Addresses> => {
    const address = freeAddress();
    const bind = ['--bind', formatAddress(address), '--protocol', protocol, '--no-control-socket'];
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
    return startPython(t, 'gunicorn', [...bind, ...workers, TARGETS[framework]], { [protocol]: address });
  };
  const [http, uwsgi] = await Promise.all([start('http'), start('uwsgi')]);
  return { ...http, ...uwsgi };
};
