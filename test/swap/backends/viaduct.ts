import { join } from 'node:path';
import { PYTHON_WITH_PACKAGES, startViaduct } from '../../support/viaduct.ts';
import { APPS, type StartBackend, TARGETS } from './backend.ts';

/** Viaduct as application server speaks all protocols at once. */
export const startViaductApp: StartBackend = async (framework, directory) => {
  const path = (protocol: string) => join(directory, `viaduct-${framework}-${protocol}`);
  const sockets = { http: path('http'), uwsgi: path('uwsgi'), fastcgi: path('fastcgi'), scgi: path('scgi') };
  const listen = Object.entries(sockets).map(([protocol, socket]) => {
    const scheme = protocol === 'http' ? '' : `${protocol}://`;
    return `${scheme}unix:${socket}?mode=666`;
  });
  const python = framework === 'TypeScript' ? [] : ['--python', PYTHON_WITH_PACKAGES ?? 'python3'];
  const counts = ['--workers', '1', '--threads', '8', '--access-log', 'off'];
  const { output, stop } = await startViaduct({
    args: ['app', TARGETS[framework], '--chdir', APPS, ...python, ...counts],
    listen: listen.join(','),
    env: { PYTHONDONTWRITEBYTECODE: '1' },
  });
  return { sockets, output, stop };
};
