import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { ViaductError } from '../errors.ts';
import type { Address } from './address.ts';
import { type ArrivalOptions, Arrivals, type Sinks } from './connection-acceptor.ts';
import { makePlaceFor, type SocketAccess, setAccess } from './unix-socket.ts';

export interface ListenerOptions extends ArrivalOptions {
  readonly address: Address;
}

/** One bound address. What it accepts goes to the sink of its protocol under the listener's `index`. */
export class Listener {
  readonly address: Address;
  readonly index: number;
  readonly #secure: boolean;
  readonly #arrivals: Arrivals;
  #server: Server | null = null;

  constructor(options: ListenerOptions, sinks: Sinks) {
    this.address = options.address;
    this.index = options.index;
    this.#secure = options.tls !== null;
    this.#arrivals = new Arrivals(options, sinks);
  }

  /**
   * Binds and accepts.
   *
   * @throws ViaductError `LISTEN` with what is in the way.
   */
  async listen(): Promise<void> {
    const { address } = this;
    if (address.secure === true && !this.#secure) {
      throw new ViaductError('LISTEN', `Cannot listen on "${this.url}" with TLS: there is no certificate`, {
        advice: 'Name one in the table [tls] of viaduct.toml, or begin with --tls-self-signed.',
      });
    }
    if (address.kind === 'unix') await makePlaceFor(address.path);
    const server = createServer({ noDelay: true, allowHalfOpen: true, pauseOnConnect: true }, (socket: Socket) =>
      this.#arrivals.accept(socket),
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
    if (address.kind === 'unix') this.#setAccess(address.path, address);
  }

  #setAccess(path: string, access: SocketAccess): void {
    try {
      setAccess(path, access);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** Stops accepting. Connections that got as far as their protocol live on, others end. */
  close(): void {
    this.#server?.close();
    this.#server = null;
    this.#arrivals.destroy();
  }

  /** `https` where the listener speaks TLS. */
  get scheme(): 'http' | 'https' {
    return this.#secure || this.address.secure === true ? 'https' : 'http';
  }

  /** For people: `http://127.0.0.1:8000`, with the port that was really bound. */
  get url(): string {
    const { address } = this;
    const { protocol } = address;
    if (address.kind === 'unix') return `${protocol === undefined ? '' : `${protocol}://`}unix:${address.path}`;
    if (address.kind === 'fd') return inheritedUrl(address.fd, this.scheme, this.#server?.address() ?? null);
    const host = address.host.includes(':') ? `[${address.host}]` : address.host;
    return `${protocol ?? this.scheme}://${host}:${this.serverPort}`;
  }

  /** SERVER_NAME of the requests that come by this listener (RFC 3875 section 4.1.14). */
  get serverName(): string {
    return this.address.kind === 'tcp' ? this.address.host : 'localhost';
  }

  /** SERVER_PORT; a Unix socket has none, and counts as the scheme's own. */
  get serverPort(): string {
    const usual = this.#secure ? '443' : '80';
    if (this.address.kind === 'unix') return usual;
    const bound = this.#server?.address();
    if (bound !== null && typeof bound === 'object') return `${bound.port}`;
    return this.address.kind === 'tcp' ? `${this.address.port}` : usual;
  }
}

/** Connections that the kernel holds while the event loop is busy. */
const BACKLOG = 2048;

/** What is really behind an inherited descriptor, once it is known. */
function inheritedUrl(fd: number, scheme: string, bound: AddressInfo | string | null): string {
  if (bound === null || typeof bound === 'string') return bound === null ? `fd:${fd}` : `unix:${bound}`;
  return `${scheme}://${bound.family === 'IPv6' ? `[${bound.address}]` : bound.address}:${bound.port}`;
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
