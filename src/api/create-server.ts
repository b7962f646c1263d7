import { readSettings } from '../config/load.ts';
import { placeOf } from '../config/site/keys.ts';
import type { Config } from '../define-config.ts';
import { ViaductError } from '../errors.ts';
import type { Log } from '../log/log.ts';
import { startServer } from '../server/server.ts';
import { checkConfiguration } from '../site/check.ts';
import { type Configuration, MAIN } from '../site/configuration.ts';
import { findApplications } from '../site/find-applications.ts';
import type { Application } from '../wsgi/contract.ts';
import { errorLog } from './error-log.ts';

/** What `viaduct.toml` can hold, with the same keys, and applications that are there already. `listen` is `127.0.0.1:8000` when absent; port 0 is any free one. */
export interface CreateServerOptions extends Omit<Config, 'fronts' | 'user' | 'group'> {
  /** Answers what no route takes. Without it, and without `target`, only routes answer. */
  readonly application?: Application;
  /** Applications that routes name with `app`. */
  readonly applications?: Readonly<Record<string, Application>>;
  /** Errors and warnings go to standard error by default. */
  readonly log?: Log;
}

/** A server that listens. */
export interface ViaductServer extends AsyncDisposable {
  /** Where it listens: `http://127.0.0.1:49152`. */
  readonly url: string;
  readonly urls: readonly string[];
  /**
   * Accepts nothing more, finishes what runs for as long as `graceful_timeout_ms`, and closes the applications that it was given. A second call waits
   * for the first.
   */
  close(): Promise<void>;
}

/**
 * Starts a server inside another program or a test. It touches no signal, no standard output, and never ends the process.
 *
 * @throws ViaductError `SETTINGS` with every mistake, `LISTEN` for an address that is taken, and what applications throw when they start
 */
export async function createServer(options: CreateServerOptions = {}): Promise<ViaductServer> {
  const { application, applications = {}, log = errorLog(), ...config } = options;
  const given = new Map(Object.entries(applications));
  if (application !== undefined) given.set(MAIN, application);
  const configuration = await configure(config, given, log);
  const server = await startServer({ configuration, log, accessLog: process.stdout, given });
  let closing: Promise<void> | null = null;
  const close = (): Promise<void> => {
    closing ??= server.stop();
    return closing;
  };
  return { url: server.urls[0] ?? '', urls: server.urls, close, [Symbol.asyncDispose]: close };
}

async function configure(config: object, given: ReadonlyMap<string, Application>, log: Log): Promise<Configuration> {
  const cwd = process.cwd();
  const loaded = await readSettings({ access_log: 'off', ...config }, cwd);
  const { settings, site, siteEntries } = loaded;
  const twice = [...(settings.target === null ? [] : [MAIN]), ...Object.keys(site?.apps ?? {})].find((name) =>
    given.has(name),
  );
  if (twice !== undefined)
    throw new ViaductError('SETTINGS', `Cannot serve application "${twice}": it is given and configured`);
  const found = findApplications(loaded, cwd, { runAs: null, searches: false });
  const configuration = { settings, site, listenOrigin: '', ...found };
  await checkConfiguration(configuration, placeOf(siteEntries), log, [...given.keys()]);
  return configuration;
}
