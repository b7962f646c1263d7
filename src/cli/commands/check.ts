import { proveApplication } from '../../app/prove.ts';
import { pythonMiddleware } from '../../config/middleware.ts';
import { fileKey } from '../../config/setting.ts';
import { SETTINGS } from '../../config/settings.ts';
import { placeOf } from '../../config/site/keys.ts';
import { formatValue } from '../../config/value.ts';
import { createLog } from '../../observe/log.ts';
import { assumeIdentity } from '../../service/identity.ts';
import { checkConfiguration } from '../../site/check.ts';
import { MAIN } from '../../site/configuration.ts';
import { applicationLine, routeLine } from '../../site/describe.ts';
import type { Arguments } from '../arguments.ts';
import { findingLines, palette } from '../output.ts';
import { prepare } from '../prepare.ts';

/**
 * `viaduct check`: tells what would be served and with which settings and routes, and imports the applications to prove it. Nothing is
 * served.
 */
export async function check(parsed: Arguments): Promise<number> {
  const { configuration, loaded, findings, identity } = await prepare(parsed);
  const { settings, project, applications } = configuration;
  const place = placeOf(loaded.siteEntries);
  const { routes, warnings } = await checkConfiguration(configuration, place, createLog('text', process.stderr));
  if (identity !== null) assumeIdentity(identity);
  const colours = palette(process.stdout);
  process.stdout.write(findingLines(findings, colours));
  for (const [name, origin] of loaded.origins) {
    const value = formatValue(SETTINGS[name], settings[name]);
    process.stdout.write(`  ${colours.dim('setting'.padEnd(12))}${fileKey(name)} = ${value} (${origin})\n`);
  }
  for (const [index, route] of routes.entries()) {
    const where = index === routes.length - 1 ? '' : ` (${place(['route', `${index}`])})`;
    process.stdout.write(`  ${colours.dim('route'.padEnd(12))}${routeLine(route)}${where}\n`);
  }
  for (const warning of warnings) process.stdout.write(`  ${colours.yellow('tls'.padEnd(12))}${warning}\n`);
  const proved = [
    ...(project === null ? [] : [{ name: MAIN, project, middleware: settings.middleware }]),
    ...Object.entries(applications).map(([name, application]) => ({ name, ...application })),
  ];
  for (const application of proved) {
    const chain = applicationLine(application);
    if (chain !== null) process.stdout.write(`  ${colours.dim('chain'.padEnd(12))}${application.name}: ${chain}\n`);
  }
  for (const { project, middleware } of proved) {
    await proveApplication({ project, middleware: pythonMiddleware(middleware) }, settings.startTimeoutMs);
  }
  process.stdout.write(proved.length === 0 ? 'The site can be served.\n' : 'The application can be served.\n');
  return 0;
}
