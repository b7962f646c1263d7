import { basename } from 'node:path';
import type { LoadedSettings } from '../../config/load.ts';
import { placeOf } from '../../config/site/keys.ts';
import { createLog, type Log } from '../../log/log.ts';
import { tellForgottenPromises } from '../../observe/forgotten-promises.ts';
import { resolveListen, takeInheritedSockets } from '../../os/inherited-sockets.ts';
import { assumeIdentity } from '../../os/process-user.ts';
import { ServiceManager, takeServiceManager } from '../../os/service-manager.ts';
import { MovingWatch } from '../../project/moving-watch.ts';
import { watchFiles } from '../../project/watch-files.ts';
import { type RunningFronts, startFronts } from '../../server/cluster/primary.ts';
import { type RunningControl, startControl } from '../../server/control-socket.ts';
import { type RunningServer, startServer } from '../../server/server.ts';
import { checkConfiguration } from '../../site/check.ts';
import type { Configuration } from '../../site/configuration.ts';
import { passwordFilesOf } from '../../site/password-files.ts';
import { VERSION } from '../../version.ts';
import type { Arguments } from '../arguments.ts';
import { findingLines, palette } from '../output.ts';
import { prepare } from '../prepare.ts';
import { createReload } from '../reload.ts';
import { runUntilSignal } from '../run-until-signal.ts';

/** `viaduct serve`: finds the project, serves it until a signal ends it, and resolves to the exit code. */
export async function serve(parsed: Arguments): Promise<number> {
  const sockets = takeInheritedSockets(process.env, process.pid);
  const managerOptions = takeServiceManager(process.env, process.pid);
  const configure = async () => {
    const { configuration, loaded, findings, identity } = await prepare(parsed);
    const listen = resolveListen(configuration.settings.listen, !loaded.origins.has('listen'), sockets);
    const settings = { ...configuration.settings, listen };
    return { configuration: { ...configuration, settings }, given: configuration.settings, loaded, findings, identity };
  };
  const { configuration, given, loaded, findings, identity } = await configure();
  const { settings, project } = configuration;
  const colours = palette(process.stderr);
  const logFormat = process.stderr.isTTY === true || settings.accessLog === 'text' ? 'text' : 'json';
  const log = createLog(logFormat, process.stderr);
  tellForgottenPromises(log);
  await checkConfiguration(configuration, placeOf(loaded.siteEntries), log);
  process.stderr.write(findingLines(findings, colours));
  const fronts = settings.fronts > 1 ? await startFronts({ configuration, identity, log, logFormat }) : null;
  const onBound = (): void => {
    if (identity !== null) assumeIdentity(identity);
  };
  const server = fronts ?? (await startServer({ configuration, log, accessLog: process.stdout, onBound }));
  const control = settings.control === null ? null : await openControl(settings.control, server, log);
  const manager = new ServiceManager(managerOptions, project?.python.path ?? 'python3');
  const name = basename(project?.directory ?? settings.chdir ?? process.cwd());
  const isAlive = fronts === null ? () => true : () => fronts.isAlive();
  const ready = (state: string): void => manager.ready(`Serving ${name}${state}`, isAlive);
  const reload = createReload(server, log, {
    onReloading: async () => {
      manager.reloading();
      const { configuration: changed, loaded: reloaded } = await configure();
      await checkConfiguration(changed, placeOf(reloaded.siteEntries), log);
      watch.follow(watchedBy(changed, loaded));
      return changed;
    },
    onReloaded: (outcome) => ready(`; ${outcome}`),
  });
  const watch = new MovingWatch<string>((paths) => watchFiles(paths.split(SEPARATOR), reload));
  watch.follow(watchedBy(configuration, loaded));
  const ended = runUntilSignal(server, log, {
    onStopping: () => {
      watch.close();
      manager.stopping('Finishing what runs');
    },
    onReload: reload,
  });
  const where = server.urls.join(' and ');
  const passed = settings.listen !== given.listen ? ' (passed by systemd)' : '';
  const shared = fronts === null ? '' : ` with ${settings.fronts} fronts`;
  process.stderr.write(`Viaduct ${VERSION} serves ${name} on ${colours.bold(where)}${passed}${shared}\n`);
  ready(` on ${where}`);
  if (process.stdin.isTTY === true) process.stderr.write(`${colours.dim('Press Ctrl-C to stop.')}\n`);
  const code = await Promise.race([ended, ...(fronts === null ? [] : [endWhenLost(fronts, log)])]);
  manager.close();
  control?.close();
  return code;
}

/** A server whose control socket cannot be opened has not come up. */
async function openControl(path: string, server: RunningServer, log: Log): Promise<RunningControl> {
  try {
    return await startControl(path, server, log);
  } catch (error) {
    server.kill();
    throw error;
  }
}

/** Between paths, none of which can have it. */
const SEPARATOR = '\0';

/** In development, the files that make the configuration what it is; otherwise nobody expects that an edit takes effect by itself. */
function watchedBy(configuration: Configuration, { sources }: LoadedSettings): string | null {
  if (!configuration.settings.dev) return null;
  return [...sources, ...passwordFilesOf(configuration)].join(SEPARATOR);
}

async function endWhenLost(fronts: RunningFronts, log: Log): Promise<number> {
  const { message, advice } = await fronts.lost;
  log.error(`${message}. ${advice}`);
  fronts.kill();
  return 1;
}
