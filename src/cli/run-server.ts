import { sourceLocationOf } from '../config/site-entries.ts';
import type { Log } from '../log/log.ts';
import { openOutputs, type Reopened } from '../log/output.ts';
import { reportUncaught } from '../log/uncaught.ts';
import { dropPrivileges } from '../os/process-user.ts';
import { ServiceManager, type ServiceManagerOptions } from '../os/service-manager.ts';
import { MovingWatch } from '../project/moving-watch.ts';
import type { WaitingInterpreter } from '../project/waiting-interpreter.ts';
import { watchFiles } from '../project/watch-files.ts';
import type { RunningCluster } from '../server/cluster/primary.ts';
import type { ReloadOutcome } from '../server/control/control-api.ts';
import type { RunningServer } from '../server/running-server.ts';
import { startServer } from '../server/server.ts';
import { checkConfiguration } from '../site/check.ts';
import type { Configuration } from '../site/configuration.ts';
import type { LoadedConfiguration } from '../site/load-configuration.ts';
import { passwordFilesOf } from '../site/password-files.ts';
import { VERSION } from '../version.ts';
import { killProcess } from '../workers/os-process.ts';
import { findingLines, palette } from './output.ts';
import type { Configured } from './prepare.ts';
import { createReload } from './reload.ts';
import { runUntilSignal, type Signals } from './run-until-signal.ts';
import { prepareControl, serverName } from './server-control.ts';

export interface ServerEnvironment {
  /** Reads settings and project again. */
  readonly configure: () => Promise<Configured>;
  readonly signals: Signals;
  readonly managerOptions: ServiceManagerOptions | null;
  readonly waiting: WaitingInterpreter;
}

/** Serves a configuration until a signal ends the server. Resolves to the exit code. */
export async function runServer(
  { configuration, configured, loaded, findings, identity }: Configured,
  { configure, signals, managerOptions, waiting }: ServerEnvironment,
): Promise<number> {
  const { settings, project } = configuration;
  const colours = palette(process.stderr);
  const logFormat = process.stderr.isTTY === true || settings.accessLog === 'text' ? 'text' : 'json';
  const { log, accessLog, reopen } = openOutputs(logFormat, settings, identity);
  let running: RunningServer | null = null;
  reportUncaught(log, () => running?.kill());
  await checkConfiguration(configuration, sourceLocationOf(loaded.siteEntries), log);
  process.stderr.write(findingLines(findings, colours));
  const startCluster = settings.processes > 1 ? (await import('../server/cluster/primary.ts')).startCluster : null;
  const cluster = (await startCluster?.({ configuration, identity, log, logFormat })) ?? null;
  const onBound = identity === null ? {} : { onBound: () => dropPrivileges(identity) };
  const openControl = await prepareControl(configuration, log);
  const server = cluster ?? (await startServer({ configuration, log, accessLog, ...onBound, waiting }));
  running = server;
  const manager = new ServiceManager(managerOptions, project?.python.path ?? 'python3');
  const name = serverName(configuration);
  const isAlive = cluster === null ? () => true : () => cluster.isAlive();
  const ready = (state: string): void => manager.ready(`Serving ${name}${state}`, isAlive);
  const reload = createReload(server, log, {
    onReloading: async () => {
      manager.reloading();
      const { configuration: changed, loaded: reloaded } = await configure();
      await checkConfiguration(changed, sourceLocationOf(reloaded.siteEntries), log);
      return changed;
    },
    onConfigured: (changed) => watch.follow(watchedBy(changed, loaded)),
    onReloaded: (outcome) => {
      ready(`; ${outcome}`);
      void control?.restore();
    },
  });
  const watch = new MovingWatch<string>((paths) => watchFiles(paths.split(SEPARATOR), reload));
  const stopRequest = new AbortController();
  let stopping = false;
  const reopenLogs = (): Reopened => {
    const reopened = reopen();
    if (reopened.files > 0) for (const pid of cluster?.pids ?? []) killProcess(pid, 'SIGUSR1');
    return reopened;
  };
  const program = {
    reload: () => (stopping ? Promise.resolve(NOT_RELOADED) : reload()),
    reopenLogs,
    stop: () => stopRequest.abort(),
  };
  const control = await openControl(server, program).catch((error: unknown) => {
    server.kill();
    throw error;
  });
  watch.follow(watchedBy(configuration, loaded));
  const ended = runUntilSignal(server, log, signals, stopRequest.signal, {
    onStopping: () => {
      stopping = true;
      watch.close();
      manager.stopping('Finishing running requests');
    },
    onStopped: () => control?.close(),
    onReload: reload,
    onReopen: () => reopenLogs().files > 0,
  });
  const where = server.urls.join(' and ');
  const passed = settings.listen !== configured.listen ? ' (passed by systemd)' : '';
  const shared = cluster === null ? '' : ` with ${settings.processes} server processes`;
  process.stderr.write(`Viaduct ${VERSION} serves ${name} on ${colours.bold(where)}${passed}${shared}\n`);
  ready(` on ${where}`);
  if (process.stdin.isTTY === true) process.stderr.write(`${colours.dim('Press Ctrl-C to stop.')}\n`);
  const code = await Promise.race([ended, ...(cluster === null ? [] : [endWhenLost(cluster, log)])]);
  manager.close();
  control?.close();
  return code;
}

/** The outcome of a reload that comes too late. */
const NOT_RELOADED: ReloadOutcome = { error: 'the server is stopping', traceback: null, duration_ms: 0 };

/** Separates paths, because no path can contain it. */
const SEPARATOR = '\0';

/** In development, the files of the configuration; null otherwise, because an edit in production must not take effect by itself. */
function watchedBy(configuration: Configuration, { sources }: LoadedConfiguration): string | null {
  if (!configuration.settings.dev) return null;
  return [...sources, ...passwordFilesOf(configuration)].join(SEPARATOR);
}

async function endWhenLost(cluster: RunningCluster, log: Log): Promise<number> {
  const { message, advice } = await cluster.lost;
  log.error(`${message}. ${advice}`);
  cluster.kill();
  return 1;
}
