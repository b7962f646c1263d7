import { join } from 'node:path';
import { PYTHON_WITH_PACKAGES, startViaduct } from '../../support/viaduct.ts';
import { takePlace, written } from '../addresses.ts';
import { APPS, type StartBackend, TARGETS } from './backend.ts';

/** Viaduct as application server speaks all protocols at once. */
export const startViaductApp: StartBackend = async (framework) => {
  const places = { http: takePlace(), uwsgi: takePlace(), fastcgi: takePlace(), scgi: takePlace() };
  const listen = Object.entries(places).map(([protocol, place]) => `${protocol}://${written(place)}`);
  const python = framework === 'TypeScript' ? [] : ['--python', PYTHON_WITH_PACKAGES ?? 'python3'];
  const counts = ['--workers', '1', '--threads', '8', '--access-log', 'off', '--config', join(APPS, 'viaduct.toml')];
  const { stop } = await startViaduct({
    args: ['app', TARGETS[framework], '--chdir', APPS, ...python, ...counts],
    listen: listen.join(','),
    env: { PYTHONDONTWRITEBYTECODE: '1' },
  });
  return { places, stop };
};
