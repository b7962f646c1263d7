import { ViaductError } from '../errors.ts';

/** A listening socket that the service manager has passed. */
export interface InheritedSocket {
  readonly fd: number;
  /** The `FileDescriptorName` of its unit, by default the name of the socket unit. */
  readonly name: string;
}

const FIRST_FD = 3;
const SOCKETS_MAX = 1024;
/** A scheme, the name of the sockets, and options. */
const SYSTEMD = /^((?:https?|uwsgi|fastcgi|scgi):\/\/)?systemd(?::([^?]+))?(\?.*)?$/;

/**
 * Returns the sockets that systemd passed to process `pid` (sd_listen_fds(3)). It removes the variables from `environment`, so that no
 * child process applies them to itself.
 */
export function takeInheritedSockets(environment: NodeJS.ProcessEnv, pid: number): InheritedSocket[] {
  const { LISTEN_PID, LISTEN_FDS, LISTEN_FDNAMES } = environment;
  for (const name of ['LISTEN_PID', 'LISTEN_FDS', 'LISTEN_FDNAMES', 'LISTEN_PIDFDID']) delete environment[name];
  const count = Number(LISTEN_FDS);
  if (Number(LISTEN_PID) !== pid || !Number.isInteger(count) || count < 1 || count > SOCKETS_MAX) return [];
  const names = (LISTEN_FDNAMES ?? '').split(':');
  return Array.from({ length: count }, (_, index) => ({ fd: FIRST_FD + index, name: names[index] || 'unknown' }));
}

/**
 * Replaces `systemd` (all passed sockets) and `systemd:NAME` (those with that name) by descriptors such as `fd:3`. A scheme before it and
 * options behind it stay. If `listen` is the
 * default, the passed sockets replace it. Returns `listen` itself when there is nothing to replace.
 *
 * @throws ViaductError `LISTEN` when systemd did not pass such a socket.
 */
export function resolveListen(
  listen: readonly string[],
  isDefault: boolean,
  sockets: readonly InheritedSocket[],
): readonly string[] {
  if (isDefault && sockets.length > 0) return sockets.map(addressOf);
  if (!listen.some((address) => SYSTEMD.test(address))) return listen;
  return listen.flatMap((address) => {
    const match = SYSTEMD.exec(address);
    if (match === null) return [address];
    const [, scheme = '', name, options = ''] = match;
    const matching = sockets.filter((socket) => name === undefined || socket.name === name);
    if (matching.length === 0) throw notPassed(address, sockets);
    return matching.map((socket) => `${scheme}${addressOf(socket)}${options}`);
  });
}

function addressOf({ fd }: InheritedSocket): string {
  return `fd:${fd}`;
}

function notPassed(address: string, sockets: readonly InheritedSocket[]): ViaductError {
  const names = sockets.map(({ name }) => name).join(', ');
  const state = sockets.length === 0 ? 'systemd passed no socket' : `systemd passed only ${names}`;
  return new ViaductError('LISTEN', `Cannot listen on "${address}": ${state}`, {
    advice: 'Start the .socket unit, and name its sockets with FileDescriptorName=.',
  });
}
