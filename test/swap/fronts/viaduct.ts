import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startViaduct } from '../../support/viaduct.ts';
import { takePlace, written } from '../addresses.ts';
import { doorsOf, type Passage, type StartFront } from './front.ts';

/** Viaduct as web server alone, with a route for each passage. */
export const startViaductWeb: StartFront = async (ground, passages) => {
  const path = join(ground.directory, 'viaduct.toml');
  const tls = `trusted_proxies = []\n[tls]\ncertificate = "${ground.certificate}"\nkey = "${ground.key}"`;
  writeFileSync(path, [tls, ...passages.map(route)].join('\n'));
  const [plain, secure] = [takePlace(), takePlace()];
  const { stop } = await startViaduct({
    args: ['web', '--config', path, '--chdir', ground.directory, '--access-log', 'off'],
    listen: `${written(plain)},https://${written(secure)}`,
  });
  return { doors: doorsOf({ plain, secure }), stop };
};

function route({ host, protocol, place }: Passage): string {
  return `[[route]]\nhost = "${host}"\npath = "/*"\nproxy = "${protocol}://${written(place)}"\nproxy_options = { buffer_request = true }`;
}
