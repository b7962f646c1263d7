import { ViaductError } from '../errors.ts';

/** A listening socket that the service manager has passed. */
export interface InheritedSocket {
  readonly fd: number;
  /** Of its unit's `FileDescriptorName`, by default the name of the socket unit. */
  readonly name: string;
}

const FIRST_FD = 3;
const SOCKETS_MAX = 1024;
const SYSTEMD = /^systemd(?::(.+))?$/;

/**
 * The sockets that systemd passed to process `pid` (sd_listen_fds(3)). The variables are removed from `environment`, so that no child
 * takes them for its own.
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
 * Puts descriptors (`fd:3`) in the place of `systemd` (all passed sockets) and `systemd:NAME` (those of that name). When nobody said where
 * to listen, passed sockets replace the default. Returns `listen` itself when nothing is to be replaced.
 *
 * @throws ViaductError `LISTEN` when no such socket was passed.
 */
export function resolveListen(
  listen: readonly string[],
  isDefault: boolean,
  sockets: readonly InheritedSocket[],
): readonly string[] {
  if (isDefault && sockets.length > 0) return sockets.map(addressOf);
  if (!listen.some((address) => SYSTEMD.test(address))) return listen;
  return listen.flatMap((address) => {
    const found = SYSTEMD.exec(address);
    if (found === null) return [address];
    const [, name] = found;
    const meant = sockets.filter((socket) => name === undefined || socket.name === name);
    if (meant.length === 0) throw notPassed(address, sockets);
    return meant.map(addressOf);
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
