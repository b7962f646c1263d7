import { chmodSync, existsSync, lstatSync, unlinkSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { dirname } from 'node:path';
import { ViaductError } from '../errors.ts';
import type { Connections } from '../http/connections.ts';

/** Where to listen: a TCP host and port, the path of a Unix socket, or a descriptor inherited from a service manager. */
export type Address =
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string }
  | { readonly kind: 'fd'; readonly fd: number };

/**
 * Reads `8000` (on 127.0.0.1), `HOST:PORT`, `[::1]:PORT`, `unix:PATH` or `fd:3`.
 *
 * @throws ViaductError `USAGE` for anything else.
 */
export function parseAddress(text: string): Address {
  const unix = /^unix:(.+)$/.exec(text);
  if (unix !== null) return { kind: 'unix', path: unix[1] as string };
  const fd = /^fd:(\d{1,6})$/.exec(text);
  if (fd !== null) return { kind: 'fd', fd: Number(fd[1]) };
  const tcp = /^(?:(?:\[([0-9A-Fa-f:.%a-z]+)\]|([^:[\]\s]*)):)?(\d{1,5})$/.exec(text);
  const port = Number(tcp?.[3]);
  if (tcp === null || port > 65535) {
    throw new ViaductError('USAGE', `Cannot listen on "${text}": it is no address`, {
      advice: 'Write 8000, HOST:PORT, [::1]:PORT, unix:PATH or fd:3.',
    });
  }
  return { kind: 'tcp', host: tcp[1] ?? (tcp[2] === '' ? '0.0.0.0' : (tcp[2] ?? '127.0.0.1')), port };
}

/** One bound address. What it accepts goes to `connections` under its `index`. */
export class Listener {
  readonly address: Address;
  readonly index: number;
  readonly #connections: Connections;
  #server: Server | null = null;

  constructor(address: Address, index: number, connections: Connections) {
    this.address = address;
    this.index = index;
    this.#connections = connections;
  }

  /**
   * Binds and accepts.
   *
   * @throws ViaductError `LISTEN` with what is in the way.
   */
  async listen(): Promise<void> {
    const { address } = this;
    if (address.kind === 'unix') {
      checkPlace(address.path);
      await removeStaleSocket(address.path);
    }
    const server = createServer({ noDelay: true, allowHalfOpen: true, pauseOnConnect: true }, (socket: Socket) =>
      this.#connections.accept(socket, this.index),
    );
    this.#server = server;
    await new Promise<void>((resolve, reject) => {
      server.once('error', (error: NodeJS.ErrnoException) => reject(cannotListen(this.url, error)));
      const options = { backlog: BACKLOG };
      if (address.kind === 'tcp') server.listen({ ...options, host: address.host, port: address.port }, resolve);
      else if (address.kind === 'unix') server.listen({ ...options, path: address.path }, resolve);
      else server.listen({ ...options, fd: address.fd }, resolve);
    });
    server.removeAllListeners('error');
    server.on('error', onAcceptError);
    if (address.kind === 'unix') chmodSync(address.path, SOCKET_MODE);
  }

  /** Stops accepting. Accepted connections live on. */
  close(): void {
    this.#server?.close();
    this.#server = null;
  }

  /** For people: `http://127.0.0.1:8000`, with the port that was really bound. */
  get url(): string {
    const { address } = this;
    if (address.kind === 'unix') return `unix:${address.path}`;
    if (address.kind === 'fd') return inheritedUrl(address.fd, this.#server?.address() ?? null);
    const host = address.host.includes(':') ? `[${address.host}]` : address.host;
    return `http://${host}:${this.serverPort}`;
  }

  /** SERVER_NAME of the requests that come by this listener (RFC 3875 section 4.1.14). */
  get serverName(): string {
    return this.address.kind === 'tcp' ? this.address.host : 'localhost';
  }

  /** SERVER_PORT; a Unix socket has none, and counts as the scheme's own. */
  get serverPort(): string {
    if (this.address.kind === 'unix') return '80';
    const bound = this.#server?.address();
    if (bound !== null && typeof bound === 'object') return `${bound.port}`;
    return this.address.kind === 'tcp' ? `${this.address.port}` : '80';
  }
}

/** Connections that the kernel holds while the event loop is busy. */
const BACKLOG = 2048;
/** Front servers run as other users; the directory decides who gets there. */
const SOCKET_MODE = 0o666;

/** What is really behind an inherited descriptor, once it is known. */
function inheritedUrl(fd: number, bound: AddressInfo | string | null): string {
  if (bound === null || typeof bound === 'string') return bound === null ? `fd:${fd}` : `unix:${bound}`;
  return `http://${bound.family === 'IPv6' ? `[${bound.address}]` : bound.address}:${bound.port}`;
}

/** A connection that could not be accepted, as when descriptors are short, is its client's loss, not everybody's. */
function onAcceptError(): void {}

function cannotListen(url: string, error: NodeJS.ErrnoException): ViaductError {
  const reasons: Record<string, [string, string]> = {
    EADDRINUSE: ['the address is in use', 'Stop it, or choose another address with --listen.'],
    EACCES: url.startsWith('unix:')
      ? ['permission denied', 'Choose a directory that this user may write to.']
      : ['permission denied', 'Ports below 1024 need privileges; choose a higher one with --listen.'],
    EADDRNOTAVAIL: ['this machine has no such address', 'Choose one of its own with --listen.'],
    ENOTFOUND: ['the host name is not known', 'Write an address of this machine.'],
    EINVAL: ['the descriptor is no socket that listens', 'Pass one from the service manager.'],
    EBADF: ['there is no such descriptor', 'Pass one from the service manager.'],
  };
  const [state, advice] = reasons[error.code ?? ''] ?? [error.message, ''];
  return new ViaductError('LISTEN', `Cannot listen on "${url}": ${state}`, { advice, cause: error });
}

/** What the system's own errors do not tell: a missing directory is EACCES to libuv, an ordinary file looks like a stale socket. */
function checkPlace(path: string): void {
  const refuse = (state: string, advice: string) => {
    throw new ViaductError('LISTEN', `Cannot listen on "unix:${path}": ${state}`, { advice });
  };
  if (!existsSync(dirname(path)))
    refuse('the directory does not exist', 'Make it, or choose another path with --listen.');
  const isOther = lstatSync(path, { throwIfNoEntry: false })?.isSocket() === false;
  if (isOther) refuse('a file that is no socket is there', 'Choose another path with --listen.');
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
