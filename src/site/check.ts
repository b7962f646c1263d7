import type { Place } from '../config/site/keys.ts';
import { ViaductError } from '../errors.ts';
import type { Log } from '../log/log.ts';
import { noFindings, type TlsFindings } from '../web/tls/findings.ts';
import { applicationOptions } from './application-options.ts';
import type { ResolvedRoute } from './build.ts';
import { composeApplications } from './compose-applications.ts';
import { composeSite, emptyMemory } from './compose-site.ts';
import { applicationNames, type Configuration } from './configuration.ts';
import { notFound } from './not-found.ts';
import { trustedBy } from './policies.ts';

export interface Checked {
  readonly routes: readonly ResolvedRoute[];
  /** What clients will complain of, and what works nevertheless. */
  readonly warnings: readonly string[];
}

/**
 * Tries whether `configuration` makes a site, and reads its certificates. Nothing is started. `given` are names of applications that there will be.
 *
 * @throws ViaductError `SETTINGS` with every mistake, a line each.
 */
export async function checkConfiguration(
  configuration: Configuration,
  place: Place,
  log: Log,
  given: Iterable<string> = [],
): Promise<Checked> {
  const mistakes: string[] = [];
  let routes: readonly ResolvedRoute[] = [];
  const applications = { names: new Set([...applicationNames(configuration), ...given]), next: () => notFound };
  try {
    const site = await composeSite(configuration, applications, place, [], log, emptyMemory());
    site.destroy();
    routes = site.routes;
  } catch (error) {
    if (!(error instanceof ViaductError) || error.code !== 'SETTINGS') throw error;
    mistakes.push(error.message);
  }
  try {
    trustedBy(configuration);
  } catch (error) {
    mistakes.push(`${(error as Error).message} (${place(['trusted_proxies'])})`);
  }
  const found = await checkCertificates(configuration);
  mistakes.push(...found.problems.map((problem) => `${problem} (${place(['tls'])})`));
  if (mistakes.length > 0) throw new ViaductError('SETTINGS', mistakes.join('\n'));
  return { routes, warnings: found.warnings };
}

/**
 * Imports the applications and the middleware that are written in TypeScript, and puts them together.
 *
 * @throws ViaductError as `composeApplications` does
 */
export async function proveModules(configuration: Configuration, log: Log): Promise<void> {
  const server = applicationOptions(configuration, [], log);
  const composed = await composeApplications(configuration, { python: () => notFound, given: new Map(), server });
  await composed.close();
}

async function checkCertificates(configuration: Configuration): Promise<TlsFindings> {
  if (configuration.site?.tls === undefined) return noFindings();
  const { tlsOptionsOf } = await import('./tls.ts');
  const { checkTls } = await import('../listen/tls/tls-contexts.ts');
  const options = tlsOptionsOf(configuration);
  return options === null ? noFindings() : checkTls(options);
}
