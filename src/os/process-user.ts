import { userInfo } from 'node:os';
import { ViaductError } from '../errors.ts';

/** The user and group of a process after it has bound its addresses. */
export interface Identity {
  readonly uid: number;
  readonly gid: number;
  /** Null for a number without an entry in the system's list of users. */
  readonly user: string | null;
  readonly home: string;
}

/** Node has these functions on all systems with users. Its types lack `initgroups`, and mark the others as optional. */
type Posix = Required<Pick<NodeJS.Process, 'getuid' | 'geteuid' | 'getgid' | 'getegid' | 'seteuid' | 'setegid'>> &
  Required<Pick<NodeJS.Process, 'setuid' | 'setgid' | 'setgroups'>> & {
    initgroups(user: string, extraGroup: number): void;
  };

const posix = process as unknown as Posix;

/**
 * Looks up the user and the group (names or numbers) to run as; null when nothing has to change.
 *
 * @throws ViaductError `USAGE` for unknown names, a group without a user, a number without a group, or when this user is not root.
 */
export function findIdentity(user: string | null, group: string | null): Identity | null {
  if (user === null) {
    if (group === null) return null;
    throw cannot(
      'group',
      group,
      'no user is set',
      'Set user too: with a group alone, the process would keep the rights of root.',
    );
  }
  if (posix.geteuid() !== 0) {
    if (isCurrent(user, group)) return null;
    throw cannot('user', user, 'only root can change it', 'Start Viaduct as root, or leave user out.');
  }
  const entry = lookUpUser(user);
  const gid = group === null ? entry.gid : lookUpGroup(group);
  if (gid !== null) return { ...entry, gid };
  throw cannot('user', user, 'the system has no entry for it, and so no group', 'Set group too.');
}

/**
 * Switches the process to an identity permanently: supplementary groups, group and user. Also sets HOME, USER and LOGNAME for that user.
 *
 * @throws ViaductError `USAGE` when the switch failed or could be undone.
 */
export function dropPrivileges({ uid, gid, user, home }: Identity): void {
  if (user === null) posix.setgroups([gid]);
  else posix.initgroups(user, gid);
  posix.setgid(gid);
  posix.setuid(uid);
  const actual = [posix.getuid(), posix.geteuid(), posix.getgid(), posix.getegid()].join();
  if (actual !== [uid, uid, gid, gid].join() || (uid !== 0 && canBecomeRoot())) {
    throw cannot('user', user ?? `${uid}`, 'the rights of root could not be dropped permanently', '');
  }
  process.env.HOME = home;
  if (user === null) return;
  process.env.USER = user;
  process.env.LOGNAME = user;
}

/** Whether this process has the rights of root. False on systems without users. */
export function isRoot(): boolean {
  return process.geteuid?.() === 0;
}

function canBecomeRoot(): boolean {
  try {
    posix.setuid(0);
    return true;
  } catch {
    return posix.geteuid() === 0;
  }
}

function isCurrent(user: string, group: string | null): boolean {
  const { username, uid, gid } = userInfo();
  if (user !== username && user !== `${uid}`) return false;
  if (group === null || group === `${gid}`) return true;
  throw cannot('group', group, 'only root can change it', 'Start Viaduct as root, or leave group out.');
}

/** Node gives information only about the current user, so this process switches to `user` for the lookup. */
function lookUpUser(user: string): Omit<Identity, 'gid'> & { readonly gid: number | null } {
  const id = numberOrName(user);
  try {
    posix.seteuid(id);
  } catch {
    throw cannot('user', user, 'there is no such user', '');
  }
  try {
    const { uid, gid, username, homedir } = userInfo();
    return { uid, gid, user: username, home: homedir };
  } catch {
    return { uid: posix.geteuid(), gid: null, user: null, home: '/' };
  } finally {
    posix.seteuid(0);
  }
}

function lookUpGroup(group: string): number {
  const before = posix.getegid();
  try {
    posix.setegid(numberOrName(group));
    return posix.getegid();
  } catch {
    throw cannot('group', group, 'there is no such group', '');
  } finally {
    posix.setegid(before);
  }
}

function numberOrName(text: string): number | string {
  return /^\d+$/.test(text) ? Number(text) : text;
}

function cannot(kind: 'user' | 'group', name: string, state: string, advice: string): ViaductError {
  return new ViaductError('USAGE', `Cannot run as ${kind} "${name}": ${state}`, { advice });
}
