import { Beside, checkSchedules } from '../beside/beside.ts';
import { sourceLocationOf } from '../config/site-entries.ts';
import { isJournal } from '../log/journal.ts';
import type { Log } from '../log/log.ts';
import { openOutputs, type Reopened } from '../log/output.ts';
import { reportUncaught } from '../log/uncaught.ts';
import { dropPrivileges } from '../os/process-user.ts';
import { ServiceManager, type ServiceManagerOptions } from '../os/service-manager.ts';
import { MovingWatch } from '../project/moving-watch.ts';
import type { WaitingInterpreter } from '../project/waiting-interpreter.ts';
import { watchFiles } from '../project/watch-files.ts';
import { watchTouch } from '../project/watch-touch.ts';
import { ProgramMetrics } from '../server/admin/program-metrics.ts';
import type { RunningCluster } from '../server/cluster/primary.ts';
import type { LastReload, ReloadOutcome } from '../server/control/control-api.ts';
import type { RunningServer } from '../server/running-server.ts';
import { startServer } from '../server/server.ts';
import type { LiveSource } from '../server/trace/live-source.ts';
import { checkConfiguration } from '../site/check.ts';
import type { Configuration } from '../site/configuration.ts';
import type { LoadedConfiguration } from '../site/load-configuration.ts';
import { passwordFilesOf } from '../site/password-files.ts';
import { touchFile } from '../site/reload-policy.ts';
import { DEV_PREFIX } from '../trace/dev-prefix.ts';
import { VERSION } from '../version.ts';
import { killProcess } from '../workers/os-process.ts';
import { findingLines, palette } from './output.ts';
import type { Configured } from './prepare.ts';
import { programLogs } from './program-logs.ts';
import { createReload } from './reload.ts';
import { runUntilSignal, type Signals, type Stoppable } from './run-until-signal.ts';
import { prepareAdmin, prepareControl, prepareOtlp, prepareSource, serverName } from './server-control.ts';

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
  const python = project?.python.path ?? 'python3';
  const colours = palette(process.stderr);
  const logFormat = process.stderr.isTTY === true || settings.accessLog === 'text' ? 'text' : 'json';
  const toJournal = isJournal(process.env);
  const { log, accessLog, tap, reopen } = openOutputs(settings, {
    format: logFormat,
    isJournal: toJournal,
    owner: identity,
    python,
  });
  let running: Pick<RunningServer, 'kill'> | null = null;
  reportUncaught(log, () => running?.kill());
  await checkAll(configuration, loaded, log);
  process.stderr.write(findingLines(findings, colours));
  const programMetrics = new ProgramMetrics();
  const openAdmin = await prepareAdmin(configuration, log);
  const startOtlp = await prepareOtlp(configuration, log);
  let serving: RunningServer | null = null;
  let source: LiveSource | null = null;
  const admin = await openAdmin(
    async () => (serving === null ? null : programMetrics.of(serving)),
    () => source,
  );
  const startCluster = settings.processes > 1 ? (await import('../server/cluster/primary.ts')).startCluster : null;
  const umask = process.umask(0);
  process.umask(umask);
  const beside = new Beside({ identity: startCluster === null ? null : identity, umask, log });
  let serves = false;
  const onReloaded = (changed: Configuration): void => {
    if (serves) beside.use(changed);
  };
  const cluster =
    (await startCluster?.({ configuration, identity, log, logFormat, isJournal: toJournal, onReloaded })) ?? null;
  const onBound = identity === null ? {} : { onBound: () => dropPrivileges(identity) };
  const openSource = await prepareSource(configuration, log);
  const openControl = await prepareControl(configuration, log);
  const server =
    cluster ?? (await startServer({ configuration, log, accessLog, tap, ...onBound, waiting, onReloaded }));
  const whole = withBeside(server, beside);
  running = whole;
  serving = server;
  const traces = openSource(server, () => programMetrics.of(server));
  source = traces;
  const manager = new ServiceManager(managerOptions, python);
  const name = serverName(configuration);
  const isAlive = cluster === null ? () => true : () => cluster.isAlive();
  const ready = (state: string): void => manager.ready(`Serving ${name}${state}`, isAlive);
  const reload = createReload(server, log, {
    onReloading: async () => {
      manager.reloading();
      const { configuration: changed, loaded: reloaded } = await configure();
      await checkAll(changed, reloaded, log);
      return changed;
    },
    onConfigured: (changed) => {
      watch.follow(watchedBy(changed, loaded));
      touch.follow(touchFile(changed));
    },
    onReloaded: (state, outcome) => {
      programMetrics.reloaded(outcome.error === null);
      lastReload = { ended_at: new Date().toISOString(), ...outcome };
      ready(`; ${state}`);
      void control?.restore();
    },
  });
  const watch = new MovingWatch<string>((paths) => watchFiles(paths.split(SEPARATOR), reload));
  const touch = new MovingWatch<string>((path) =>
    watchTouch(path, () => {
      log.info(`Reloading, because ${path} was touched`);
      void reload();
    }),
  );
  const stopRequest = new AbortController();
  let stopping = false;
  let lastReload: LastReload | null = null;
  const reopenLogs = (): Reopened => {
    server.flushLogs();
    const reopened = reopen();
    if (reopened.files > 0) for (const pid of cluster?.pids ?? []) killProcess(pid, 'SIGUSR1');
    return reopened;
  };
  const program = {
    lastReload: () => lastReload,
    reload: () => (stopping ? Promise.resolve(NOT_RELOADED) : reload()),
    reopenLogs,
    metrics: () => programMetrics.of(server),
    stop: () => stopRequest.abort(),
    traces,
    ...programLogs(settings, tap, cluster),
    beside: () => beside.status(),
  };
  const control = await openControl(server, program).catch((error: unknown) => {
    server.kill();
    throw error;
  });
  watch.follow(watchedBy(configuration, loaded));
  touch.follow(touchFile(configuration));
  const ended = runUntilSignal(whole, log, signals, stopRequest.signal, {
    onStopping: () => {
      stopping = true;
      traces?.close();
      watch.close();
      touch.close();
      beside.freeze();
      manager.stopping('Finishing running requests');
    },
    onStopped: () => {
      control?.close();
      admin?.close();
    },
    onReload: reload,
    onReopen: () => reopenLogs().files > 0,
  });
  const where = server.urls.join(' and ');
  const passed = settings.listen !== configured.listen ? ' (passed by systemd)' : '';
  const shared = cluster === null ? '' : ` with ${settings.processes} server processes`;
  process.stderr.write(`Viaduct ${VERSION} serves ${name} on ${colours.bold(where)}${passed}${shared}\n`);
  if (admin !== null) {
    const token = admin.madeToken === null ? '' : `, with the token ${colours.bold(admin.madeToken)}`;
    process.stderr.write(`Pages and metrics are on ${admin.urls.join(' and ')}${token}\n`);
  }
  if (settings.dev && settings.devPages !== 'off')
    process.stderr.write(`The requests are shown on ${pagesOf(server.urls).join(' and ')}\n`);
  ready(` on ${where}`);
  serves = true;
  beside.use(configuration);
  const otlp = startOtlp(() => programMetrics.of(server));
  if (process.stdin.isTTY === true) process.stderr.write(`${colours.dim('Press Ctrl-C to stop.')}\n`);
  const code = await Promise.race([ended, ...(cluster === null ? [] : [endWhenLost(cluster, whole, log)])]);
  await otlp?.stop();
  manager.close();
  control?.close();
  admin?.close();
  return code;
}

/** The addresses of the pages about requests in development. A browser opens none on a Unix socket. */
function pagesOf(urls: readonly string[]): readonly string[] {
  return urls.filter((url) => url.startsWith('http')).map((url) => `${url}${DEV_PREFIX}/`);
}

/** Programs beside the application may need the server to the end, and it may need them. So they stop when it has drained. */
function withBeside(server: RunningServer, beside: Beside): Stoppable {
  return {
    get connections() {
      return server.connections;
    },
    async stop() {
      await server.stop();
      await beside.stop();
    },
    kill() {
      server.kill();
      beside.kill();
    },
  };
}

async function checkAll(configuration: Configuration, { siteEntries }: LoadedConfiguration, log: Log): Promise<void> {
  const locate = sourceLocationOf(siteEntries);
  await checkConfiguration(configuration, locate, log);
  await checkSchedules(configuration, locate);
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

async function endWhenLost(cluster: RunningCluster, whole: Stoppable, log: Log): Promise<number> {
  const { message, advice } = await cluster.lost;
  log.error(`${message}. ${advice}`);
  whole.kill();
  return 1;
}
