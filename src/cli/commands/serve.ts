import { basename } from 'node:path';
import { type RunningFronts, startFronts } from '../../fronts/primary.ts';
import { createLog, type Log } from '../../observe/log.ts';
import { startServer } from '../../server.ts';
import { assumeIdentity } from '../../service/identity.ts';
import { resolveListen, takeInheritedSockets } from '../../service/inherited-sockets.ts';
import { ServiceManager, takeServiceManager } from '../../service/service-manager.ts';
import { VERSION } from '../../version.ts';
import type { Arguments } from '../arguments.ts';
import { findingLines, palette } from '../output.ts';
import { prepare } from '../prepare.ts';
import { runUntilSignal } from '../run-until-signal.ts';

/** `viaduct serve`: finds the project, serves it until a signal ends it, and resolves to the exit code. */
export async function serve(parsed: Arguments): Promise<number> {
  const sockets = takeInheritedSockets(process.env, process.pid);
  const managerOptions = takeServiceManager(process.env, process.pid);
  const { settings: given, origins, project, identity } = prepare(parsed);
  const listen = resolveListen(given.listen, !origins.has('listen'), sockets);
  const settings = { ...given, listen };
  const colours = palette(process.stderr);
  const logFormat = process.stderr.isTTY === true || settings.accessLog === 'text' ? 'text' : 'json';
  const log = createLog(logFormat, process.stderr);
  process.stderr.write(findingLines(project.findings, colours));
  const fronts = settings.fronts > 1 ? await startFronts({ settings, project, identity, log, logFormat }) : null;
  const onBound = (): void => {
    if (identity !== null) assumeIdentity(identity);
  };
  const server = fronts ?? (await startServer({ settings, project, log, accessLog: process.stdout, onBound }));
  const manager = new ServiceManager(managerOptions, project.python.path);
  const name = basename(project.directory);
  const isAlive = fronts === null ? () => true : () => fronts.isAlive();
  const ready = (state: string): void => manager.ready(`Serving ${name}${state}`, isAlive);
  const ended = runUntilSignal(server, log, {
    onStopping: () => manager.stopping('Finishing what runs'),
    onReloading: () => manager.reloading(),
    onReloaded: (outcome) => ready(`; ${outcome}`),
  });
  const where = server.urls.join(' and ');
  const passed = listen !== given.listen ? ' (passed by systemd)' : '';
  const shared = fronts === null ? '' : ` with ${settings.fronts} fronts`;
  process.stderr.write(`Viaduct ${VERSION} serves ${name} on ${colours.bold(where)}${passed}${shared}\n`);
  ready(` on ${where}`);
  if (process.stdin.isTTY === true) process.stderr.write(`${colours.dim('Press Ctrl-C to stop.')}\n`);
  const code = await Promise.race([ended, ...(fronts === null ? [] : [endWhenLost(fronts, log)])]);
  manager.close();
  return code;
}

async function endWhenLost(fronts: RunningFronts, log: Log): Promise<number> {
  const { message, advice } = await fronts.lost;
  log.error(`${message}. ${advice}`);
  fronts.kill();
  return 1;
}
