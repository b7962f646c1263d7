import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { ViaductError } from '../errors.ts';
import { unmapped } from '../http/peer.ts';
import type { Address } from './address.ts';
import { ConnectionAcceptor, type ConnectionAcceptorOptions, type ProtocolHandlers } from './connection-acceptor.ts';
import { descriptorLimit, isNearLimit } from './descriptors.ts';
import { bindWithMode, prepareSocketPath, type SocketAccess, setAccess } from './unix-socket.ts';

export interface ListenerOptions extends ConnectionAcceptorOptions {
  readonly address: Address;
  /** Whether an address of all IPv6 hosts leaves IPv4 to another listener. False when absent: then it takes both. */
  readonly ipv6Only?: boolean;
  /** Called for each connection that is accepted while nearly all `limit` descriptors of the process are in use. For the log. */
  readonly onExhausted?: (limit: number) => void;
}

/** One bound address. What it accepts goes to the sink of its protocol under the listener's `index`. */
export class Listener {
  readonly address: Address;
  readonly index: number;
  readonly #secure: boolean;
  readonly #options: ListenerOptions;
  readonly #acceptor: ConnectionAcceptor;
  #server: Server | null = null;
  /** Listeners that get the connections to one address of this port, by the address. */
  #within: ReadonlyMap<string, Listener> = new Map();

  constructor(options: ListenerOptions, handlers: ProtocolHandlers) {
    this.address = options.address;
    this.index = options.index;
    this.#options = options;
    this.#secure = options.tls !== null;
    this.#acceptor = new ConnectionAcceptor(options, handlers);
  }

  /**
   * Binds and accepts.
   *
   * @throws ViaductError `LISTEN` with the reason.
   */
  async listen(): Promise<void> {
    const { address } = this;
    this.#requireCertificate();
    if (address.kind === 'unix') await prepareSocketPath(address.path);
    const limit = descriptorLimit();
    const server = createServer({ noDelay: true, allowHalfOpen: true, pauseOnConnect: true }, (socket: Socket) => {
      if (isNearLimit(socket, limit)) this.#options.onExhausted?.(limit);
      this.#receiverOf(socket).#acceptor.accept(socket);
    });
    this.#server = server;
    await new Promise<void>((resolve, reject) => {
      server.once('error', (error: NodeJS.ErrnoException) => reject(cannotListen(this.url, error)));
      const options = { backlog: BACKLOG };
      if (address.kind === 'tcp')
        server.listen(
          { ...options, host: address.host, port: address.port, ipv6Only: this.#options.ipv6Only === true },
          resolve,
        );
      else if (address.kind === 'unix')
        bindWithMode(address, () => server.listen({ ...options, path: address.path }, resolve));
      else server.listen({ ...options, fd: address.fd }, resolve);
    });
    server.removeAllListeners('error');
    // Only the client is affected: the server continues.
    server.on('error', (error) => this.#options.onRefused?.(`it cannot be accepted (${error.message})`, ''));
    if (address.kind === 'unix') this.#setAccess(address.path, address);
  }

  /**
   * Becomes ready for connections that a listener of all hosts gives it: see `share`.
   *
   * @throws ViaductError `LISTEN` without a certificate that the address needs
   */
  listenWithin(): void {
    this.#requireCertificate();
  }

  #requireCertificate(): void {
    if (this.address.secure === true && !this.#secure) throw noCertificate(this.url);
  }

  /** Whether the operating system gives connections to this listener, and not another listener that shares its port. */
  get isBound(): boolean {
    return this.#server !== null;
  }

  /** From now on, connections to an address go to the listener that has this address in `within`, which needs no binding. */
  share(within: ReadonlyMap<string, Listener>): void {
    this.#within = within;
  }

  #receiverOf(socket: Socket): Listener {
    if (this.#within.size === 0) return this;
    return this.#within.get(unmapped(socket.localAddress ?? '')) ?? this;
  }

  #setAccess(path: string, access: SocketAccess): void {
    try {
      setAccess(path, access);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** Stops accepting. Connections that a protocol already handles continue; all others end. */
  close(): void {
    this.#server?.close();
    this.#server = null;
    this.#acceptor.destroy();
  }

  /** `https` if the listener uses TLS. */
  get scheme(): 'http' | 'https' {
    return this.#secure || this.address.secure === true ? 'https' : 'http';
  }

  /** For people: `http://127.0.0.1:8000`, with the port that is actually bound. */
  get url(): string {
    const { address } = this;
    const { protocol } = address;
    if (address.kind === 'unix') return `${protocol === undefined ? '' : `${protocol}://`}unix:${address.path}`;
    if (address.kind === 'fd') return inheritedUrl(address.fd, this.scheme, this.#server?.address() ?? null);
    const host = address.host.includes(':') ? `[${address.host}]` : address.host;
    return `${protocol ?? this.scheme}://${host}:${this.serverPort}`;
  }

  /** SERVER_NAME of the requests of this listener (RFC 3875 section 4.1.14). */
  get serverName(): string {
    return this.address.kind === 'tcp' ? this.address.host : 'localhost';
  }

  /** SERVER_PORT. A Unix socket has no port: for it this is the default port of the scheme. */
  get serverPort(): string {
    const defaultPort = this.#secure ? '443' : '80';
    if (this.address.kind === 'unix') return defaultPort;
    const bound = this.#server?.address();
    if (bound !== null && typeof bound === 'object') return `${bound.port}`;
    return this.address.kind === 'tcp' ? `${this.address.port}` : defaultPort;
  }
}

/** Connections that the kernel holds while the event loop is busy. */
const BACKLOG = 4096;

/** The address of an inherited descriptor, or `fd:N` while the address is unknown. */
function inheritedUrl(fd: number, scheme: string, bound: AddressInfo | string | null): string {
  if (bound === null || typeof bound === 'string') return bound === null ? `fd:${fd}` : `unix:${bound}`;
  return `${scheme}://${bound.family === 'IPv6' ? `[${bound.address}]` : bound.address}:${bound.port}`;
}

/** The error of an address that needs a certificate when there is none. */
export function noCertificate(url: string): ViaductError {
  return new ViaductError('LISTEN', `Cannot listen on "${url}" with TLS: there is no certificate`, {
    advice: 'Name a certificate in the table [tls] of viaduct.toml, or start with --tls-self-signed.',
  });
}

function cannotListen(url: string, error: NodeJS.ErrnoException): ViaductError {
  const reasons: Record<string, [string, string]> = {
    EADDRINUSE: ['the address is in use', 'Stop the program that uses it, or choose another address with --listen.'],
    EACCES: url.startsWith('unix:')
      ? ['permission denied', 'Choose a directory that this user may write to.']
      : ['permission denied', 'Ports below 1024 need privileges; choose a higher port with --listen.'],
    EADDRNOTAVAIL: ['this machine has no such address', 'Choose an address of this machine with --listen.'],
    ENOTFOUND: ['the host name is unknown', 'Write an address of this machine.'],
    EINVAL: ['the descriptor is not a listening socket', 'Pass a listening socket from the service manager.'],
    EBADF: ['the descriptor does not exist', 'Pass a listening socket from the service manager.'],
  };
  const [state, advice] = reasons[error.code ?? ''] ?? [error.message, ''];
  return new ViaductError('LISTEN', `Cannot listen on "${url}": ${state}`, { advice, cause: error });
}
