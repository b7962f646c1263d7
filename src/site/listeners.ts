import { ViaductError } from '../errors.ts';
import { type Address, parseAddress } from '../listen/address.ts';
import type { ConnectionAcceptorOptions, ProtocolHandlers } from '../listen/connection-acceptor.ts';
import { Listener, noCertificate } from '../listen/listener.ts';
import { numericAddress } from '../listen/numeric-address.ts';
import { PendingConnections } from '../listen/pending-connections.ts';
import { sharedWith } from '../listen/shared-port.ts';
import { CertificateWatch } from '../listen/tls/certificate-watch.ts';
import type { CertificateStatus } from '../listen/tls/tls-contexts.ts';
import { TlsTerminator } from '../listen/tls/tls-terminator.ts';
import type { Log } from '../log/log.ts';
import type { RefusalLog } from '../log/refusal-log.ts';
import type { ListenerEnviron } from '../wsgi/variables.ts';
import type { Configuration } from './configuration.ts';
import { tlsOptionsOf, withScheme } from './tls.ts';

export interface ListenersOptions {
  readonly handlers: ProtocolHandlers;
  /** Whether a peer with this address ('' on a Unix socket) is trusted to name the client in a PROXY header. */
  readonly trusted: (remoteAddress: string) => boolean;
  readonly log: Log;
  /** See `ConnectionAcceptorOptions`. */
  readonly onServed?: ConnectionAcceptorOptions['onServed'];
  /** Receives the connections that were refused, and warnings about descriptors. */
  readonly refusals: RefusalLog;
}

/** Addresses that are bound but not yet in use. */
export interface Opening {
  /** Environs of all listeners by index, including closed listeners. */
  readonly environs: readonly ListenerEnviron[];
  /** The addresses of all listeners by index, as the configuration has them; '' for listeners that it does not have any more. */
  readonly addresses: readonly string[];
  /** Starts to use the addresses. Connections that waited are served, and addresses that are no longer in the configuration are closed. */
  commit(): void;
  /** Closes the addresses again. */
  abandon(): void;
}

/** All addresses of a server. An address that stays in a changed configuration is never closed. */
export class Listeners {
  readonly #options: ListenersOptions;
  readonly #open = new Map<string, Listener>();
  /** Listeners by index. An index is never used again, because requests on their way to Python refer to it. */
  readonly #all: { readonly text: string; readonly listener: Listener }[] = [];
  #tls: TlsTerminator | null = null;
  #watch: CertificateWatch | null = null;

  constructor(options: ListenersOptions) {
    this.#options = options;
  }

  get urls(): readonly string[] {
    return [...this.#open.values()].map(({ url }) => url);
  }

  /** The URL of the listener with this index (`Peer.listener`), also if it is closed by now; '' without one. */
  urlOf(index: number): string {
    return this.#all[index]?.listener.url ?? '';
  }

  /** The certificates in use. */
  get certificates(): readonly CertificateStatus[] {
    return this.#tls?.certificates ?? [];
  }

  /**
   * Reads the certificates and binds the addresses that are not yet bound. If it fails, nothing has changed.
   *
   * @throws ViaductError `LISTEN` or `CERTIFICATE`.
   */
  async prepare(configuration: Configuration): Promise<Opening> {
    const { listen, tlsSelfSigned } = configuration.settings;
    const addresses = listen.map((address) => withScheme(address, tlsSelfSigned));
    const tls = this.#terminatorFor(configuration);
    const pending = new PendingConnections(this.#options.handlers);
    const opened = new Map<string, Listener>();
    const abandon = (): void => {
      for (const listener of opened.values()) listener.close();
      pending.destroy();
    };
    const failures: ViaductError[] = [];
    for (const text of addresses) {
      const isShared = sharedWith(parseAddress(text), addresses.map(parseAddress)) !== null;
      const before = this.#open.get(text);
      if (opened.has(text) || (before !== undefined && (isShared || before.isBound))) continue;
      try {
        const listener = this.#listener(text, addresses, tls, pending.handlers);
        if (isShared) listener.listenWithin();
        else await listener.listen();
        opened.set(text, listener);
      } catch (error) {
        if (!(error instanceof ViaductError)) throw error;
        failures.push(error);
      }
    }
    if (failures.length > 0) {
      abandon();
      throw joinErrors(failures, configuration.listenOrigin);
    }
    return {
      environs: this.#all.map(({ listener }) => environOf(listener)),
      addresses: this.#all.map(({ text }) => (addresses.includes(text) ? text : '')),
      commit: () => {
        for (const [text, listener] of opened) {
          this.#open.get(text)?.close();
          this.#open.set(text, listener);
        }
        for (const [text, listener] of this.#open) {
          if (addresses.includes(text)) continue;
          this.#open.delete(text);
          listener.close();
        }
        this.#sharePorts();
        this.#use(tls, configuration);
        pending.open();
      },
      abandon,
    };
  }

  close(): void {
    this.#watch?.stop();
    for (const listener of this.#open.values()) listener.close();
  }

  /** Gives the connections to one address of a port of all hosts to the listener of this address. */
  #sharePorts(): void {
    const listeners = [...this.#open.values()];
    const addresses = listeners.map(({ address }) => address);
    const within = new Map<Address, Map<string, Listener>>();
    for (const listener of listeners) {
      const around = listener.isBound ? null : sharedWith(listener.address, addresses);
      if (around === null || listener.address.kind !== 'tcp') continue;
      const known = within.get(around) ?? new Map<string, Listener>();
      within.set(around, known.set(numericAddress(listener.address.host) ?? '', listener));
    }
    for (const listener of listeners) listener.share(within.get(listener.address) ?? new Map());
  }

  #listener(text: string, all: readonly string[], tls: TlsTerminator | null, handlers: ProtocolHandlers): Listener {
    const address = parseAddress(text);
    const { trusted, refusals, onServed } = this.#options;
    const listener = new Listener(
      {
        address,
        ipv6Only: isIpv6Only(address, all),
        index: this.#all.length,
        tls: address.secure === true ? tls : null,
        proxyProtocol: address.proxyProtocol === true ? trusted : null,
        ...(address.protocol === undefined ? {} : { cgi: { protocol: address.protocol, trusted } }),
        onRefused: (reason, remoteAddress) => refusals.connection(reason, remoteAddress),
        onExhausted: (limit) => refusals.exhausted(limit),
        onServed,
      },
      handlers,
    );
    this.#all.push({ text, listener });
    return listener;
  }

  /** The current terminator stays in use until the new certificates are read. */
  #terminatorFor(configuration: Configuration): TlsTerminator | null {
    const options = tlsOptionsOf(configuration);
    if (options === null) return null;
    const fresh = new TlsTerminator(options);
    for (const warning of fresh.load()) this.#options.log.warn(warning);
    return this.#tls ?? fresh;
  }

  #use(tls: TlsTerminator | null, configuration: Configuration): void {
    const options = tlsOptionsOf(configuration);
    if (tls === null || options === null) return;
    if (tls === this.#tls) tls.load(options);
    this.#tls = tls;
    const { log } = this.#options;
    this.#watch?.stop();
    this.#watch = new CertificateWatch(tls, {
      onReplaced: (warnings) => {
        log.info('Changed certificates are in use');
        for (const warning of warnings) log.warn(warning);
      },
      onFailed: (error) =>
        log.error(`Cannot use the changed certificates, so the old ones stay in use: ${error.message}`),
    });
    void this.#watch.start();
  }
}

/**
 * Checks without binding that addresses with TLS have a certificate.
 *
 * @throws ViaductError `LISTEN`, as `Listeners.prepare` does
 */
export function requireCertificate(configuration: Configuration): void {
  if (tlsOptionsOf(configuration) !== null) return;
  const secure = configuration.settings.listen.filter((text) => parseAddress(text).secure === true);
  if (secure.length > 0) throw joinErrors(secure.map(noCertificate), configuration.listenOrigin);
}

/** One error for all failures, with the origin of the addresses. */
function joinErrors(failures: readonly ViaductError[], origin: string): ViaductError {
  const [first] = failures as readonly [ViaductError, ...ViaductError[]];
  const where = origin === '' ? '' : ` (${origin})`;
  const advice = [...new Set(failures.map((failure) => failure.advice))].join('\n');
  return new ViaductError(first.code, failures.map(({ message }) => `${message}${where}`).join('\n'), {
    advice,
    cause: first.cause,
  });
}

function environOf(listener: Listener): ListenerEnviron {
  return {
    SERVER_NAME: listener.serverName,
    SERVER_PORT: listener.serverPort,
    'wsgi.url_scheme': listener.scheme,
  };
}

/**
 * Whether an address of all hosts takes no connections by IPv4: it says so, or another address has the same port of all IPv4 hosts, which an
 * operating system gives only to one of two listeners.
 */
function isIpv6Only(address: Address, all: readonly string[]): boolean {
  if (address.kind !== 'tcp' || address.host !== '::') return false;
  if (address.ipv6Only === true) return true;
  return all.some((text) => {
    const other = parseAddress(text);
    return other.kind === 'tcp' && other.host === '0.0.0.0' && other.port === address.port;
  });
}
