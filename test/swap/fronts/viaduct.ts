import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../../support/peers/program.ts';
import { startViaduct } from '../../support/viaduct.ts';
import { doorsOf, type Passage, type StartFront } from './front.ts';

/** Viaduct as web server alone, with a route for each passage. */
export const startViaductWeb: StartFront = async (ground, passages) => {
  const path = join(ground.directory, 'viaduct.toml');
  const tls = `[tls]\ncertificate = "${ground.certificate}"\nkey = "${ground.key}"`;
  writeFileSync(path, [tls, ...passages.map(route)].join('\n'));
  const [port, securePort] = [await freePort(), await freePort()];
  const { output, stop } = await startViaduct({
    args: ['web', '--config', path, '--chdir', ground.directory, '--access-log', 'off'],
    listen: `127.0.0.1:${port},https://127.0.0.1:${securePort}`,
  });
  return { doors: doorsOf({ port, securePort }), output, stop };
};

function route({ host, protocol, socket }: Passage): string {
  return `[[route]]\nhost = "${host}"\npath = "/*"\nproxy = "${protocol}://unix:${socket}"`;
}
