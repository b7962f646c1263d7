import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startViaduct } from '../../support/viaduct.ts';
import { formatAddress, freeAddress } from '../addresses.ts';
import { entrancesOf, type Route, type StartFrontEnd } from './front-end.ts';

/** Viaduct as web server only, with a route in its configuration for each route. */
export const startViaductWeb: StartFrontEnd = async (t, files, routes) => {
  const path = join(files.directory, 'viaduct.toml');
  const tls = `trusted_proxies = []\n[tls]\ncertificate = "${files.certificate}"\nkey = "${files.key}"`;
  writeFileSync(path, [tls, ...routes.map(routeTable)].join('\n'));
  const [plain, secure] = [freeAddress(), freeAddress()];
  await startViaduct(t, ['web', '--config', path, '--chdir', files.directory, '--access-log', 'off'], {
    listen: `${formatAddress(plain)},https://${formatAddress(secure)}`,
  });
  return entrancesOf({ plain, secure });
};

function routeTable({ host, protocol, address }: Route): string {
  return `[[route]]\nhost = "${host}"\npath = "/*"\nproxy = "${protocol}://${formatAddress(address)}"\nproxy_options = { buffer_request = true }`;
}
