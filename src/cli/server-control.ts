import { realpathSync } from 'node:fs';
import { basename, dirname, isAbsolute } from 'node:path';
import type { Log } from '../log/log.ts';
import type { Reopened } from '../log/output.ts';
import type { ControlledServer, LastReload, ReloadOutcome, ServerIdentity } from '../server/control/control-api.ts';
import type { RunningControl } from '../server/control/control-socket.ts';
import type { RunningServer } from '../server/running-server.ts';
import type { Configuration } from '../site/configuration.ts';
import { VERSION } from '../version.ts';
import { workingDirectory } from './working-directory.ts';

/** What commands can ask of the whole program, besides the server. */
export interface ProgramControl {
  readonly reload: () => Promise<ReloadOutcome>;
  /** Null before the first reload is over. */
  readonly lastReload: () => LastReload | null;
  readonly reopenLogs: () => Reopened;
  readonly stop: () => void;
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
  return (server, program) => {
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
    };
    return path === null ? startFoundControl(controlled, log) : startControl(path, controlled, log);
  };
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
