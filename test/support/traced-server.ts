import { sourceLocationOf } from '../../src/config/site-entries.ts';
import type { Log } from '../../src/log/log.ts';
import type { LocalServer } from '../../src/server/running-server.ts';
import { startServer } from '../../src/server/server.ts';
import { checkConfiguration } from '../../src/site/check.ts';
import { MAIN } from '../../src/site/configuration.ts';
import { findApplications } from '../../src/site/find-applications.ts';
import { readProgramOptions } from '../../src/site/load-configuration.ts';
import type { TraceDocument } from '../../src/trace/document.ts';
import type { TraceFilter, TraceSummary } from '../../src/trace/store.ts';
import type { Application } from '../../src/wsgi/contract.ts';
import type { Lifetime } from './lifetime.ts';
import { ROOT } from './viaduct.ts';
import { eventually } from './wait.ts';

/** A server of this process whose records a test can see. */
export interface TracedServer {
  readonly port: number;
  readonly server: LocalServer;
  readonly log: readonly string[];
  list(filter?: Partial<TraceFilter>): readonly TraceSummary[];
  /** The newest trace that fulfils the filter, when there is one. */
  newest(filter?: Partial<TraceFilter>): Promise<TraceDocument>;
}

/** Starts a server with `options` as of `createServer`, on a port of its own. */
export async function startTraced(
  t: Lifetime,
  options: Readonly<Record<string, unknown>>,
  application?: Application,
): Promise<TracedServer> {
  const lines: string[] = [];
  const note = (message: string): void => void lines.push(message);
  const log: Log = { info: note, warn: note, error: note };
  const loaded = await readProgramOptions({ listen: '127.0.0.1:0', accessLog: 'off', ...options }, ROOT);
  const { settings, site, siteEntries } = loaded;
  const found = await findApplications(loaded, ROOT, { runAs: null, searches: false });
  const configuration = { settings, site, listenOrigin: '', ...found };
  const callerApplications = new Map(application === undefined ? [] : [[MAIN, application] as const]);
  await checkConfiguration(configuration, sourceLocationOf(siteEntries), log, [...callerApplications.keys()]);
  const server = await startServer({ configuration, log, accessLog: process.stdout, callerApplications });
  t.after(() => server.stop());
  const list = (filter: Partial<TraceFilter> = {}): readonly TraceSummary[] =>
    server.recording.store.list({ limit: 100, ...filter });
  return {
    port: Number(new URL(server.urls[0] ?? '').port),
    server,
    log: lines,
    list,
    async newest(filter) {
      await eventually('there is a trace', () => list(filter).length > 0);
      return server.recording.store.find(list(filter)[0]?.id ?? '') as TraceDocument;
    },
  };
}
