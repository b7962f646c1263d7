import { chmodSync, chownSync, existsSync, lstatSync, readFileSync, statSync, unlinkSync } from 'node:fs';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import { ViaductError } from '../errors.ts';

/** Who may reach a Unix socket. */
export interface SocketAccess {
  /** Permission bits; to connect one needs the permission to write. */
  readonly mode?: number;
  /** Names or numbers; null leaves what the process has. */
  readonly owner?: { readonly user: string | null; readonly group: string | null };
}

/** Front servers run as other users; where no mode is given the directory decides who gets there. */
const MODE = 0o666;

/**
 * Makes room for a socket at `path`: removes one that a dead process left.
 *
 * @throws ViaductError `LISTEN` when there is no such directory, or another file is there.
 */
export async function makePlaceFor(path: string): Promise<void> {
  checkPlace(path);
  await removeStaleSocket(path);
}

/**
 * Gives the socket at `path` its owner and mode.
 *
 * @throws ViaductError `LISTEN` for a user or group that is not known, or when this user may not give files away.
 */
export function setAccess(path: string, { mode = MODE, owner }: SocketAccess): void {
  if (owner !== undefined) {
    const { uid, gid } = statSync(path);
    const user = owner.user === null ? uid : numberOf(path, 'user', owner.user);
    const group = owner.group === null ? gid : numberOf(path, 'group', owner.group);
    try {
      chownSync(path, user, group);
    } catch (error) {
      refuse(path, `it cannot be given to "${owner.user ?? ''}:${owner.group ?? ''}" (${(error as Error).message})`, {
        advice: 'Only root may give files away; others may choose among their own groups.',
      });
    }
  }
  chmodSync(path, mode);
}

const DATABASES = { user: '/etc/passwd', group: '/etc/group' } as const;

/** Both databases have the name first and the number third (passwd(5), group(5)). */
function numberOf(path: string, kind: keyof typeof DATABASES, name: string): number {
  if (/^\d+$/.test(name)) return Number(name);
  const lines = existsSync(DATABASES[kind]) ? readFileSync(DATABASES[kind], 'utf8').split('\n') : [];
  const number = lines.map((line) => line.split(':')).find(([first]) => first === name)?.[2];
  return number === undefined
    ? refuse(path, `there is no ${kind} "${name}"`, { advice: `Write one of ${DATABASES[kind]}, or a number.` })
    : Number(number);
}

function refuse(path: string, state: string, { advice }: { readonly advice: string }): never {
  throw new ViaductError('LISTEN', `Cannot listen on "unix:${path}": ${state}`, { advice });
}

/** What the system's own errors do not tell: a missing directory is EACCES to libuv, an ordinary file looks like a stale socket. */
function checkPlace(path: string): void {
  const advice = 'choose another path with --listen.';
  if (!existsSync(dirname(path))) refuse(path, 'the directory does not exist', { advice: `Make it, or ${advice}` });
  const isOther = lstatSync(path, { throwIfNoEntry: false })?.isSocket() === false;
  if (isOther) refuse(path, 'a file that is no socket is there', { advice: `Remove it, or ${advice}` });
}

/** A socket file that nobody answers on was left behind by a process that is gone. */
function removeStaleSocket(path: string): Promise<void> {
  return new Promise((resolve) => {
    const probe = connect(path);
    probe.once('connect', () => {
      probe.destroy();
      resolve();
    });
    probe.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNREFUSED') unlinkSync(path);
      resolve();
    });
  });
}
