import { checkSchedules, describeBeside } from '../../beside/beside.ts';
import { pythonMiddleware } from '../../config/middleware.ts';
import { fileKey } from '../../config/setting.ts';
import { SETTINGS } from '../../config/settings.ts';
import { sourceLocationOf } from '../../config/site-entries.ts';
import { formatValue } from '../../config/value.ts';
import { createLog } from '../../log/log.ts';
import { dropPrivileges } from '../../os/process-user.ts';
import { applicationName } from '../../project/project.ts';
import { describeServerVariables, findServerVariables } from '../../project/server-variables.ts';
import { checkConfiguration, verifyModules } from '../../site/check.ts';
import { MAIN } from '../../site/configuration.ts';
import { chainLine, routeLine, trustLine } from '../../site/describe.ts';
import { requireCertificate } from '../../site/listeners.ts';
import { preloadOf } from '../../workers/preload.ts';
import { verifyRelease } from '../../workers/verify-release.ts';
import type { Arguments } from '../arguments.ts';
import { findingLines, palette } from '../output.ts';
import { prepare } from '../prepare.ts';

/**
 * `viaduct check`: prints what would be served, with its settings and routes, and imports the applications. Nothing is served.
 */
export async function check(parsed: Arguments): Promise<number> {
  const { configuration, loaded, findings, identity } = await prepare(parsed);
  const { settings, project, applications, modules, site } = configuration;
  const log = createLog('text', process.stderr);
  const locate = sourceLocationOf(loaded.siteEntries);
  const { routes, warnings } = await checkConfiguration(configuration, locate, log);
  await checkSchedules(configuration, locate);
  requireCertificate(configuration);
  if (identity !== null) dropPrivileges(identity);
  const colours = palette(process.stdout);
  process.stdout.write(findingLines(findings, colours));
  for (const [name, origin] of loaded.origins) {
    const value = formatValue(SETTINGS[name], settings[name]);
    process.stdout.write(`  ${colours.dim('setting'.padEnd(12))}${fileKey(name)} = ${value} (${origin})\n`);
  }
  process.stdout.write(`  ${colours.dim('proxies'.padEnd(12))}${trustLine(configuration)}\n`);
  for (const [index, route] of routes.entries()) {
    const where = index === routes.length - 1 ? '' : ` (${locate.position(['route', index])})`;
    process.stdout.write(`  ${colours.dim('route'.padEnd(12))}${routeLine(route)}${where}\n`);
  }
  const beside = describeBeside(configuration);
  for (const line of beside.lines) process.stdout.write(`  ${colours.dim('beside'.padEnd(12))}${line}\n`);
  for (const warning of [...warnings, ...beside.warnings])
    process.stdout.write(`  ${colours.yellow('warning'.padEnd(12))}${warning}\n`);
  const released = [
    ...(project === null ? [] : [{ name: MAIN, project, middleware: settings.middleware, hooks: site?.hooks }]),
    ...Object.entries(applications).map(([name, application]) => ({ name, ...application })),
  ];
  const chains = [
    ...released.map(({ name, project: { application }, middleware }) => ({
      name,
      middleware,
      last: applicationName(application),
    })),
    ...Object.entries(modules).map(([name, { module, middleware }]) => ({ name, middleware, last: module })),
  ];
  for (const { name, middleware, last } of chains) {
    if (middleware.length === 0) continue;
    process.stdout.write(`  ${colours.dim('chain'.padEnd(12))}${name}: ${chainLine(middleware, last)}\n`);
  }
  const { wrap } = settings;
  const preload = preloadOf(settings.preload, loaded.origins.has('preload'));
  for (const { project, middleware, hooks } of released) {
    const release = { project, middleware: pythonMiddleware(middleware), hooks, wrap, preload };
    const hints = await verifyRelease(release, settings.startTimeoutMs);
    const variables = describeServerVariables(findServerVariables(project.directory));
    for (const hint of [...hints, ...variables])
      process.stdout.write(`  ${colours.yellow('warning'.padEnd(12))}${hint}\n`);
  }
  await verifyModules(configuration, log);
  const hasApplication = released.length > 0 || Object.keys(modules).length > 0;
  process.stdout.write(!hasApplication ? 'The site can be served.\n' : 'The application can be served.\n');
  return 0;
}
