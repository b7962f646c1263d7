import { join } from 'node:path';
import { PYTHON_WITH_PACKAGES, startViaduct } from '../../support/viaduct.ts';
import { formatAddress, freeAddress } from '../addresses.ts';
import { APPS, type StartBackend, TARGETS } from './backend.ts';

/** Viaduct as application server, which has all protocols at once. */
export const startViaductApp: StartBackend = async (t, framework) => {
  const addresses = { http: freeAddress(), uwsgi: freeAddress(), fastcgi: freeAddress(), scgi: freeAddress() };
  const listen = Object.entries(addresses).map(([protocol, address]) => `${protocol}://${formatAddress(address)}`);
  const python = framework === 'TypeScript' ? [] : ['--python', PYTHON_WITH_PACKAGES ?? 'python3'];
  const counts = ['--workers', '1', '--threads', '8', '--access-log', 'off', '--config', join(APPS, 'viaduct.toml')];
  await startViaduct(t, ['app', TARGETS[framework], '--chdir', APPS, ...python, ...counts], {
    listen: listen.join(','),
    env: { PYTHONDONTWRITEBYTECODE: '1' },
  });
  return addresses;
};
