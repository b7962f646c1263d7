import { lstat, readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Settings } from '../../config/settings.ts';
import { ViaductError } from '../../errors.ts';
import { escapeControls } from '../../log/escape.ts';
import type { ServerIdentity } from '../../server/control/control-api.ts';
import { loadConfiguration } from '../../site/load-configuration.ts';
import { DIRECTORY_NAME } from '../../workers/leftovers.ts';
import { CONTROL_NAME, runtimeBase, temporaryBase } from '../../workers/private-directory.ts';
import type { Arguments } from '../arguments.ts';
import { spellings } from '../server-control.ts';
import { workingDirectory } from '../working-directory.ts';
import { isGone, send } from './client.ts';

/** A running server of this user. */
export interface FoundServer {
  /** The path of its control socket. */
  readonly socket: string;
  readonly identity: ServerIdentity;
}

const ANSWER_MS = 2000;
const DIRECTORIES_MAX = 1000;

/**
 * Returns the path of the control socket that a command is for: the one that the setting `control` names, or else that of the server which
 * was started in this project, or else that of the only server of this user.
 *
 * @throws ViaductError `LISTEN` if there is none, `USAGE` if there are several
 */
export async function findControl(parsed: Pick<Arguments, 'flags' | 'errors'>): Promise<string> {
  const named = namedControl(parsed);
  if (named !== null) return named;
  const settings = await settingsOf(parsed);
  if (settings?.control === 'off') {
    throw new ViaductError('USAGE', 'Cannot reach the server: the setting "control" is off', {
      advice: 'Leave the setting out, for the server and for this command.',
    });
  }
  if (settings?.control) return settings.control;
  const { servers, silent } = await findServers();
  const place: Place = {
    directories: spellings(settings?.chdir ?? workingDirectory()),
    settingsFile: settings?.config ?? null,
    isNamed: settings !== null && (settings.chdir !== null || settings.config !== null),
  };
  return chooseServer(servers, place, silent).socket;
}

/** The path in the flag `--control`, for which no settings file has to be valid; null without it. */
function namedControl({ flags, errors }: Pick<Arguments, 'flags' | 'errors'>): string | null {
  const path = flags.find(({ name }) => name === 'control')?.values[0]?.raw;
  return errors.length > 0 || typeof path !== 'string' || path === 'off' ? null : resolve(workingDirectory(), path);
}

/** The settings that the server has, too; null if their files cannot be used, because that is a time to ask the server. */
async function settingsOf({ flags, errors }: Pick<Arguments, 'flags' | 'errors'>): Promise<Settings | null> {
  try {
    const loaded = await loadConfiguration({ flags, errors, environment: process.env, cwd: workingDirectory() });
    return loaded.settings;
  } catch (error) {
    if (errors.length > 0 || flags.length > 0) throw error;
    return null;
  }
}

/** The project for which a command is given. */
export interface Place {
  /** Its directory, with and without symbolic links. */
  readonly directories: readonly string[];
  readonly settingsFile: string | null;
  /** Whether the user named it. Otherwise another server is meant if it is the only one. */
  readonly isNamed: boolean;
}

/**
 * `silent` are the sockets of servers that do not answer: one of them may be the server of this place, so no other one is taken in its stead.
 *
 * @throws as `findControl` does
 */
export function chooseServer(
  servers: readonly FoundServer[],
  place: Place,
  silent: readonly string[] = [],
): FoundServer {
  const here = servers.filter(({ identity }) => isAt(identity, place));
  if (here.length === 0 && silent.length > 0) throw notAnswering(silent);
  const candidates = here.length > 0 || place.isNamed ? here : servers;
  const [first, ...others] = candidates;
  if (first !== undefined && others.length === 0) return first;
  if (first !== undefined) {
    throw new ViaductError('USAGE', `Cannot choose a server: ${candidates.length} are running`, {
      advice: `Name one with --control, or go to the directory of its project:\n${listOf(candidates)}`,
    });
  }
  const found = servers.length === 0 ? '' : ` These servers of this user do:\n${listOf(servers)}`;
  throw new ViaductError(
    'LISTEN',
    `Cannot reach the server: none of this user ${place.isNamed ? 'is there' : 'is running'}, or it has a control socket elsewhere`,
    {
      advice: `Run this command as the user who runs the server. If that was started with a control socket of its own, name it with --control PATH.${found}`,
    },
  );
}

function isAt({ directories, settings_file }: ServerIdentity, place: Place): boolean {
  if (place.settingsFile !== null) return settings_file === place.settingsFile;
  return place.directories.some((directory) => directories.includes(directory));
}

function listOf(servers: readonly FoundServer[]): string {
  return servers
    .map(({ socket, identity: { name, pid, directories } }) =>
      escapeControls(`  --control ${socket}  (${name} in ${directories[0]}, process ${pid})`),
    )
    .join('\n');
}

function notAnswering(sockets: readonly string[]): ViaductError {
  return new ViaductError(
    'LISTEN',
    `Cannot reach the server: one of this user does not answer within ${ANSWER_MS / 1000} s`,
    {
      advice: `Its process is stopped, its event loop is blocked, or too many commands ask it:\n${sockets.map((socket) => `  ${socket}`).join('\n')}`,
    },
  );
}

/** All running servers of this user, and the sockets of those that do not answer. */
async function findServers(): Promise<{ readonly servers: FoundServer[]; readonly silent: string[] }> {
  const servers: FoundServer[] = [];
  const silent: string[] = [];
  const sockets = (await Promise.all((await places()).map(socketsIn))).flat();
  await Promise.all(
    [...new Set(sockets)].map(async (socket) => {
      try {
        const { value } = await send(socket, 'GET', '/server', ANSWER_MS);
        servers.push({ socket, identity: value as ServerIdentity });
      } catch {
        if (!(await isGone(socket))) silent.push(socket); // otherwise it was killed, and the next start removes what it left
      }
    }),
  );
  return { servers, silent };
}

/** Where servers of this user have their sockets, also those that systemd started: each unit has a directory below /run (systemd.exec(5)). */
async function places(): Promise<string[]> {
  const { RUNTIME_DIRECTORY = '', XDG_RUNTIME_DIR = '' } = process.env;
  const user = process.geteuid?.() ?? 0;
  const named = [...RUNTIME_DIRECTORY.split(':'), XDG_RUNTIME_DIR, `/run/user/${user}`].filter((path) => path !== '');
  return [...new Set([runtimeBase(), temporaryBase(), '/tmp', ...named, ...(await ownDirectoriesIn('/run'))])];
}

async function ownDirectoriesIn(base: string): Promise<string[]> {
  const names = await readdir(base).catch(() => []);
  const own = names.slice(0, DIRECTORIES_MAX).map(async (name) => {
    const path = join(base, name);
    return (await isOwn(path)) ? [path] : [];
  });
  return (await Promise.all(own)).flat();
}

/** The control sockets in `base`. A directory of another user, or one that others may enter, is not a server's. */
async function socketsIn(base: string): Promise<string[]> {
  const names = (await readdir(base).catch(() => [])).filter((name) => DIRECTORY_NAME.test(name));
  const found = names.slice(0, DIRECTORIES_MAX).map(async (name) => {
    const directory = join(base, name);
    const socket = join(directory, CONTROL_NAME);
    const isThere = (await isOwn(directory, 0o700)) && (await lstat(socket).catch(() => null))?.isSocket() === true;
    return isThere ? [socket] : [];
  });
  return (await Promise.all(found)).flat();
}

async function isOwn(path: string, mode: number | null = null): Promise<boolean> {
  const entry = await lstat(path).catch(() => null);
  if (entry === null || !entry.isDirectory() || entry.uid !== process.geteuid?.()) return false;
  return mode === null || (entry.mode & 0o777) === mode;
}
