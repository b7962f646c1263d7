import { realpathSync } from 'node:fs';
import { basename, dirname, isAbsolute } from 'node:path';
import type { BesideStatus } from '../beside/beside.ts';
import { describeError } from '../log/describe-error.ts';
import type { Log } from '../log/log.ts';
import type { Reopened } from '../log/output.ts';
import type { Family } from '../metrics/family.ts';
import type { OtlpExport } from '../metrics/otlp-export.ts';
import { pidNamespace } from '../os/pid-namespace.ts';
import type { RunningAdmin } from '../server/admin/admin-listener.ts';
import type { ControlledServer, LastReload, ReloadOutcome, ServerIdentity } from '../server/control/control-api.ts';
import type { RunningControl } from '../server/control/control-socket.ts';
import type { ControlledLogs } from '../server/control/logs-api.ts';
import type { RunningServer } from '../server/running-server.ts';
import type { LiveSource } from '../server/trace/live-source.ts';
import type { Configuration } from '../site/configuration.ts';
import { VERSION } from '../version.ts';
import { workingDirectory } from './working-directory.ts';

/** What commands can ask of the whole program, besides the server. */
export interface ProgramControl extends ControlledLogs {
  readonly reload: () => Promise<ReloadOutcome>;
  /** Null before the first reload is over. */
  readonly lastReload: () => LastReload | null;
  readonly reopenLogs: () => Reopened;
  readonly metrics: () => Promise<readonly Family[] | null>;
  readonly stop: () => void;
  /** Null only without a control socket and admin listeners. */
  readonly traces: LiveSource | null;
  readonly beside: () => BesideStatus;
}

/** Opens the control socket of `server`; null if there is none. */
export type OpenControl = (server: RunningServer, program: ProgramControl) => Promise<RunningControl | null>;

/**
 * Loads the code of the control socket, which the user of the server may not be able to read, and returns a function that opens it. The
 * function throws ViaductError `LISTEN` if the setting names a path that cannot be used.
 */
export async function prepareControl(configuration: Configuration, log: Log): Promise<OpenControl> {
  const { control: path } = configuration.settings;
  if (path === 'off') return async () => null;
  const { startControl, startFoundControl } = await import('../server/control/control-socket.ts');
  const identity = identityOf(configuration);
  return async (server, program) => {
    const { traces } = program;
    if (traces === null) return null;
    const controlled: ControlledServer = {
      identity,
      status: () => server.status(),
      requests: () => server.requests(),
      stacks: (worker) => server.stacks(worker),
      scale: (application, workers) => server.scale(application, workers),
      drain: (draining) => server.drain(draining),
      backends: () => server.backends(),
      changeBackend: (name, change) => server.changeBackend(name, change),
      ...program,
      traces,
    };
    return path === null ? startFoundControl(controlled, log) : startControl(path, controlled, log);
  };
}

/** Opens the admin listeners; null without any. `metrics` returns null while the server starts. */
export type OpenAdmin = (
  metrics: () => Promise<readonly Family[] | null>,
  source: () => LiveSource | null,
) => Promise<RunningAdmin | null>;

/** Loads the code of the admin listeners, as `prepareControl` does, and returns a function that opens them. */
export async function prepareAdmin({ settings }: Configuration, log: Log): Promise<OpenAdmin> {
  const { admin: addresses, adminTokenFile: tokenFile } = settings;
  if (addresses.length === 0) return async () => null;
  const { startAdmin } = await import('../server/admin/admin-listener.ts');
  return (scrape, source) => startAdmin({ addresses, tokenFile, scrape, source, log });
}

/** Starts the export of metrics; null without one. */
export type StartOtlp = (metrics: () => Promise<readonly Family[] | null>) => OtlpExport | null;

/**
 * Loads what sends metrics by OTLP, as `prepareControl` does, and returns a function that starts it.
 *
 * @throws ViaductError `SETTINGS` if the packages of OpenTelemetry are not installed
 */
export async function prepareOtlp(configuration: Configuration, log: Log): Promise<StartOtlp> {
  const { otlpUrl: url, otlpIntervalMs: intervalMs } = configuration.settings;
  if (url === null) return () => null;
  const { prepareExport } = await import('../metrics/otlp-export.ts');
  const start = await prepareExport({ url, intervalMs, service: serverName(configuration), version: VERSION });
  return (metrics) =>
    start({
      collect: async () => (await metrics()) ?? [],
      onFailure: (reason) => log.warn(`Cannot send metrics to ${url}: ${reason}. Further failures are not reported`),
      onRecovery: () => log.info(`Metrics are sent to ${url} again`),
    });
}

/** Makes what pages and commands show of `server`; null if nobody can ask for it. */
export type OpenSource = (server: RunningServer, metrics: RunningServer['metrics']) => LiveSource | null;

/** Loads the code for pages and traces, as `prepareControl` does, and returns a function that makes what they show. */
export async function prepareSource({ settings }: Configuration, log: Log): Promise<OpenSource> {
  if (settings.control === 'off' && settings.admin.length === 0) return () => null;
  const { liveSource, loadUi } = await import('../server/trace/live-source.ts');
  if (settings.admin.length > 0) await loadUi();
  return (server, metrics) =>
    liveSource(
      { status: () => server.status(), requests: () => server.requests(), metrics, traces: server.traces },
      new Date().toISOString(),
      (error) => log.error(describeError(error)),
    );
}

/** The name of what is served, for people. */
export function serverName({ project, settings }: Configuration): string {
  return basename(project?.directory ?? settings.chdir ?? process.cwd());
}

function identityOf(configuration: Configuration): ServerIdentity {
  const { project, settings } = configuration;
  const { chdir, target, config } = settings;
  const targets = target === null || !isAbsolute(target) ? [] : [target, dirname(target)];
  const paths = [workingDirectory(), chdir, project?.directory, ...targets].filter((path) => typeof path === 'string');
  return {
    version: VERSION,
    name: serverName(configuration),
    pid: process.pid,
    pid_namespace: pidNamespace(),
    started_at: new Date().toISOString(),
    directories: [...new Set(paths.flatMap(spellings))],
    settings_file: config,
  };
}

/** A path as it is, and without symbolic links. */
export function spellings(path: string): string[] {
  try {
    return [path, realpathSync(path)];
  } catch {
    return [path];
  }
}
