import type { SourceLocation } from '../config/site-entries.ts';
import { ViaductError } from '../errors.ts';
import { checkTls } from '../listen/tls/tls-contexts.ts';
import { noTlsProblems, type TlsProblems } from '../listen/tls/tls-problems.ts';
import type { Log } from '../log/log.ts';
import { compileLogFormat } from '../log/log-format.ts';
import { applicationOptions } from './application-options.ts';
import type { ResolvedRoute } from './build.ts';
import { composeApplications } from './compose-applications.ts';
import { composeSite, emptyMemory, type SiteListeners } from './compose-site.ts';
import { applicationNames, type Configuration } from './configuration.ts';
import { placeholdersOf } from './maps.ts';
import { notFound } from './not-found.ts';
import { tlsOptionsOf, withScheme } from './tls.ts';

export interface CheckedConfiguration {
  readonly routes: readonly ResolvedRoute[];
  /** Problems that clients will notice, although the server works. */
  readonly warnings: readonly string[];
}

/**
 * Builds the site of `configuration` and reads its certificates, but starts nothing. `names` are names of further applications that the server will have.
 *
 * @throws ViaductError `SETTINGS` with all errors, one per line
 */
export async function checkConfiguration(
  configuration: Configuration,
  locate: SourceLocation,
  log: Log,
  names: Iterable<string> = [],
): Promise<CheckedConfiguration> {
  const errors: string[] = [];
  const advice = new Set<string>();
  const add = (error: ViaductError): void => {
    if (errors.some((known) => known.includes(error.message))) return;
    errors.push(error.message);
    if (error.advice !== '') advice.add(error.advice);
  };
  let routes: readonly ResolvedRoute[] = [];
  let siteWarnings: readonly string[] = [];
  const applications = { names: new Set([...applicationNames(configuration), ...names]), next: () => notFound };
  try {
    const site = await composeSite(
      configuration,
      applications,
      locate,
      unbound(configuration),
      { log, onRefused() {} },
      emptyMemory(),
    );
    site.destroy();
    routes = site.routes;
    siteWarnings = site.warnings;
  } catch (error) {
    if (!(error instanceof ViaductError) || error.code !== 'SETTINGS') throw error;
    add(error);
  }
  try {
    compileLogFormat(configuration.settings.accessLogFormat ?? '', placeholdersOf(configuration.site?.map ?? {}));
  } catch (error) {
    if (!(error instanceof ViaductError)) throw error;
    add(error);
  }
  const { otlpUrl, otlpTracesUrl } = configuration.settings;
  if (otlpUrl !== null && !isHttpUrl(otlpUrl))
    errors.push(`Cannot use otlp_url "${otlpUrl}": write a URL such as http://127.0.0.1:4318/v1/metrics`);
  if (otlpTracesUrl !== null && !isHttpUrl(otlpTracesUrl))
    errors.push(`Cannot use otlp_traces_url "${otlpTracesUrl}": write a URL such as http://127.0.0.1:4318/v1/traces`);
  const { problems, warnings } = await checkCertificates(configuration);
  errors.push(...problems.map((problem) => `${problem} (${locate.position(['tls'])})`));
  if (errors.length > 0) throw new ViaductError('SETTINGS', errors.join('\n'), { advice: [...advice].join('\n') });
  return { routes, warnings: [...siteWarnings, ...warnings] };
}

/**
 * Imports the applications and the middleware in TypeScript, and puts the middleware around the applications.
 *
 * @throws ViaductError as `composeApplications` does
 */
export async function verifyModules(configuration: Configuration, log: Log): Promise<void> {
  const server = applicationOptions(configuration, [], log);
  const composed = await composeApplications(configuration, {
    python: () => notFound,
    callerApplications: new Map(),
    server,
    signal: new AbortController().signal,
  });
  await composed.close();
}

/** The listeners of a server that would have this configuration. */
function unbound({ settings: { listen, tlsSelfSigned } }: Configuration): SiteListeners {
  return { environs: [], addresses: listen.map((address) => withScheme(address, tlsSelfSigned)) };
}

async function checkCertificates(configuration: Configuration): Promise<TlsProblems> {
  if (configuration.site?.tls === undefined) return noTlsProblems();
  const options = tlsOptionsOf(configuration);
  return options === null ? noTlsProblems() : checkTls(options);
}

function isHttpUrl(text: string): boolean {
  return URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);
}
