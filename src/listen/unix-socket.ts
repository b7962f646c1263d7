import {
  chmodSync,
  chownSync,
  closeSync,
  constants,
  existsSync,
  fstatSync,
  lchmodSync,
  lchownSync,
  lstatSync,
  openSync,
  readFileSync,
  unlinkSync,
} from 'node:fs';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import { isMainThread } from 'node:worker_threads';
import { ViaductError } from '../errors.ts';

/** Owner and mode of a Unix socket: they decide which users may connect. */
export interface SocketAccess {
  /** Permission bits; a client needs the permission to write. */
  readonly mode?: number;
  /** Names or numbers; null means the user or group of the process. */
  readonly owner?: { readonly user: string | null; readonly group: string | null };
}

/** A primary creates sockets for its server processes, which set their modes. Until then, only this user can connect. */
export const PRIMARY_UMASK = 0o077;

/** Front-end proxies run as other users, so by default the directory alone decides which users can connect. */
const MODE = 0o666;

/**
 * Prepares `path` for a socket: removes the socket of a dead process.
 *
 * @throws ViaductError `LISTEN` when the directory does not exist, another file has this path, or the socket cannot be tested or removed.
 */
export async function prepareSocketPath(path: string): Promise<void> {
  checkPath(path);
  await removeStaleSocket(path);
}

/**
 * Calls `bind`, which creates a socket at once. The socket has its mode from the first moment, so nobody connects before the mode is set. In a
 * server process of several, the primary creates the socket later, with `PRIMARY_UMASK`, and in a thread of a program Node refuses this: there
 * `setAccess` sets the mode.
 */
export function bindWithMode({ mode = MODE }: SocketAccess, bind: () => void): void {
  if (!isMainThread) {
    bind();
    return;
  }
  const before = process.umask(0o777 & ~mode);
  try {
    bind();
  } finally {
    process.umask(before);
  }
}

/**
 * Gives the socket at `path` its owner and mode. A user who may write to the directory can put another file there meanwhile, such as a
 * symbolic link to a file of the system: no other file is ever changed.
 *
 * @throws ViaductError `LISTEN` for an unknown user or group, when this user may not change the owner, or when the socket is gone.
 */
export function setAccess(path: string, { mode = MODE, owner }: SocketAccess): void {
  if (lstatSync(path, { throwIfNoEntry: false }) === undefined)
    refuse(path, 'the socket is gone', { advice: PRIVATE_DIRECTORY });
  const descriptor = isLinux ? openSync(path, O_PATH | constants.O_NOFOLLOW) : null;
  try {
    const found = descriptor === null ? lstatSync(path) : fstatSync(descriptor);
    const { uid, gid } = found;
    const user = owner?.user == null ? uid : numberOf(path, 'user', owner.user);
    const group = owner?.group == null ? gid : numberOf(path, 'group', owner.group);
    const isOwned = user === uid && group === gid;
    if (isOwned && (found.mode & 0o777) === mode && found.isSocket()) return;
    const isOurs = found.isSocket() && found.nlink === 1 && (uid === process.geteuid?.() || uid === user);
    if (!isOurs) refuse(path, 'another file has taken its place', { advice: PRIVATE_DIRECTORY });
    if (!isOwned) changeOwner(path, descriptor, user, group, owner);
    if (descriptor === null) lchmodSync(path, mode);
    else chmodSync(pathOf(descriptor), mode);
  } finally {
    if (descriptor !== null) closeSync(descriptor);
  }
}

const PRIVATE_DIRECTORY = 'Choose a directory that only this user may write to.';

const isLinux = process.platform === 'linux';

/** Names a file and opens nothing (open(2)). Node has no name for this flag. */
const O_PATH = 0o10000000;

/** Leads to the file itself, whatever has its path now. */
function pathOf(descriptor: number): string {
  return `/proc/self/fd/${descriptor}`;
}

function changeOwner(
  path: string,
  descriptor: number | null,
  user: number,
  group: number,
  owner: SocketAccess['owner'],
): void {
  try {
    if (descriptor === null) lchownSync(path, user, group);
    else chownSync(pathOf(descriptor), user, group);
  } catch (error) {
    const name = `${owner?.user ?? ''}:${owner?.group ?? ''}`;
    refuse(path, `its owner cannot be changed to "${name}" (${(error as Error).message})`, {
      advice: 'Only root can change the owner; other users can choose among their own groups.',
    });
  }
}

const DATABASES = { user: '/etc/passwd', group: '/etc/group' } as const;

/** Looks up a name. Both databases have the name first and the number third (passwd(5), group(5)). */
function numberOf(path: string, kind: keyof typeof DATABASES, name: string): number {
  if (/^\d+$/.test(name)) return Number(name);
  const lines = existsSync(DATABASES[kind]) ? readFileSync(DATABASES[kind], 'utf8').split('\n') : [];
  const number = lines.map((line) => line.split(':')).find(([first]) => first === name)?.[2];
  return number === undefined
    ? refuse(path, `there is no ${kind} "${name}"`, { advice: `Write a name from ${DATABASES[kind]}, or a number.` })
    : Number(number);
}

function refuse(path: string, state: string, { advice }: { readonly advice: string }): never {
  throw new ViaductError('LISTEN', `Cannot listen on "unix:${path}": ${state}`, { advice });
}

/** Finds problems that system errors do not show: a missing directory is EACCES to libuv, and a regular file looks like a stale socket. */
function checkPath(path: string): void {
  const advice = 'choose another path with --listen.';
  if (!existsSync(dirname(path)))
    refuse(path, 'the directory does not exist', { advice: `Create the directory, or ${advice}` });
  let isOther: boolean;
  try {
    isOther = lstatSync(path, { throwIfNoEntry: false })?.isSocket() === false;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const state = code === 'EACCES' ? 'this user may not enter the directory' : message;
    refuse(path, state, { advice: `Let this user enter it, or ${advice}` });
  }
  if (isOther) refuse(path, 'a file that is not a socket exists there', { advice: `Remove that file, or ${advice}` });
}

/** Removes a socket file that refuses connections: its process is gone. */
async function removeStaleSocket(path: string): Promise<void> {
  const code = await connectError(path);
  if (code === 'EACCES' && lstatSync(path, { throwIfNoEntry: false }) !== undefined) {
    const advice = 'If no program uses it, remove it; or choose another path with --listen.';
    refuse(path, 'a socket is there, and this user may not connect to it', { advice });
  }
  if (code !== 'ECONNREFUSED') return;
  try {
    unlinkSync(path);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return; // somebody else has removed it
    const state = NOT_ALLOWED.has(code ?? '') ? 'this user may not remove it' : message;
    const advice = 'Remove that file, or choose another path with --listen.';
    refuse(path, `the socket of a process that has ended is there, and ${state}`, { advice });
  }
}

const NOT_ALLOWED: ReadonlySet<string> = new Set(['EPERM', 'EACCES', 'EROFS']);

/** Why nobody can connect to the socket; null if somebody accepts connections. */
function connectError(path: string): Promise<string | null> {
  return new Promise((resolve) => {
    const probe = connect(path);
    probe.once('connect', () => {
      probe.destroy();
      resolve(null);
    });
    probe.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? ''));
  });
}
