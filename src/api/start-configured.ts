import { sourceLocationOf } from '../config/site-entries.ts';
import { ViaductError } from '../errors.ts';
import type { Log } from '../log/log.ts';
import type { RunningServer } from '../server/running-server.ts';
import { startServer } from '../server/server.ts';
import { checkConfiguration } from '../site/check.ts';
import { type Configuration, MAIN } from '../site/configuration.ts';
import { findApplications } from '../site/find-applications.ts';
import { readProgramOptions } from '../site/load-configuration.ts';
import type { Application } from '../wsgi/contract.ts';
import type { ServerConfig } from './config/config.ts';
import { errorLog } from './error-log.ts';
import type { CreateServerOptions } from './server-options.ts';

/** Starts the server that `createServer` and `serve` return, with everything that the command line's server can do. */
export async function startConfigured(options: CreateServerOptions): Promise<RunningServer> {
  const { application, applications = {}, log = errorLog(), ...config } = options;
  const callerApplications = new Map(Object.entries(applications));
  if (application !== undefined) callerApplications.set(MAIN, application);
  const configuration = await configure(config, callerApplications, log);
  return startServer({ configuration, log, accessLog: process.stdout, callerApplications });
}

async function configure(
  config: ServerConfig,
  callerApplications: ReadonlyMap<string, Application>,
  log: Log,
): Promise<Configuration> {
  const cwd = process.cwd();
  const loaded = await readProgramOptions({ ...config, accessLog: config.accessLog ?? 'off' }, cwd);
  const { settings, site, siteEntries, origins } = loaded;
  if ((site?.process.length ?? 0) + (site?.schedule.length ?? 0) > 0)
    throw new ViaductError(
      'SETTINGS',
      'Cannot use process and schedule: only the command viaduct runs programs beside the application',
    );
  const configured = [...(settings.target === null ? [] : [MAIN]), ...Object.keys(site?.apps ?? {})];
  const duplicate = configured.find((name) => callerApplications.has(name));
  if (duplicate !== undefined)
    throw new ViaductError('SETTINGS', `Cannot serve application "${duplicate}": it is both given and configured`);
  const applications = await findApplications(loaded, cwd, { runAs: null, searches: false });
  const configuration = { settings, site, listenOrigin: '', preloadIsWritten: origins.has('preload'), ...applications };
  await checkConfiguration(configuration, sourceLocationOf(siteEntries), log, [...callerApplications.keys()]);
  return configuration;
}
