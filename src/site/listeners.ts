import { ViaductError } from '../errors.ts';
import { parseAddress } from '../listen/address.ts';
import type { Sinks } from '../listen/connection-acceptor.ts';
import { Listener } from '../listen/listener.ts';
import { CertificateWatch } from '../listen/tls/certificate-watch.ts';
import { TlsTerminator } from '../listen/tls/tls-terminator.ts';
import type { Log } from '../log/log.ts';
import type { ListenerEnviron } from '../wsgi/variables.ts';
import type { Configuration } from './configuration.ts';
import { Gate } from './gate.ts';
import { tlsOptionsOf, withScheme } from './tls.ts';

export interface ListenersOptions {
  readonly sinks: Sinks;
  /** Whether a client at this address, '' on a Unix socket, may say by a PROXY header who it speaks for. */
  readonly trusted: (remoteAddress: string) => boolean;
  readonly log: Log;
}

/** Addresses that are bound but not in use yet. */
export interface Opening {
  /** Environs of all listeners by their index, those that are closed included. */
  readonly environs: readonly ListenerEnviron[];
  /** Puts them to use: what waited is served, and addresses that are not in the configuration any more are closed. */
  commit(): void;
  /** Closes them again. */
  abandon(): void;
}

/** All addresses of a server. An address that a changed configuration still has goes on without a gap. */
export class Listeners {
  readonly #options: ListenersOptions;
  readonly #open = new Map<string, Listener>();
  /** By index: an index is never given twice, because requests on their way to Python refer to it. */
  readonly #all: Listener[] = [];
  #tls: TlsTerminator | null = null;
  #watch: CertificateWatch | null = null;

  constructor(options: ListenersOptions) {
    this.#options = options;
  }

  get urls(): readonly string[] {
    return [...this.#open.values()].map(({ url }) => url);
  }

  /**
   * Reads the certificates and binds what is not bound yet. Nothing has changed when it fails.
   *
   * @throws ViaductError `LISTEN` or `CERTIFICATE`.
   */
  async prepare(configuration: Configuration): Promise<Opening> {
    const { listen, tlsSelfSigned } = configuration.settings;
    const addresses = listen.map((address) => withScheme(address, tlsSelfSigned));
    const tls = this.#terminatorFor(configuration);
    const gate = new Gate(this.#options.sinks);
    const opened = new Map<string, Listener>();
    const abandon = (): void => {
      for (const listener of opened.values()) listener.close();
      gate.destroy();
    };
    const failures: ViaductError[] = [];
    for (const text of addresses) {
      if (this.#open.has(text) || opened.has(text)) continue;
      try {
        const listener = this.#listener(text, tls, gate.sinks);
        await listener.listen();
        opened.set(text, listener);
      } catch (error) {
        if (!(error instanceof ViaductError)) throw error;
        failures.push(error);
      }
    }
    if (failures.length > 0) {
      abandon();
      throw together(failures, configuration.listenOrigin);
    }
    return {
      environs: this.#all.map(environOf),
      commit: () => {
        for (const [text, listener] of opened) this.#open.set(text, listener);
        for (const [text, listener] of this.#open) {
          if (addresses.includes(text)) continue;
          this.#open.delete(text);
          listener.close();
        }
        this.#use(tls, configuration);
        gate.open();
      },
      abandon,
    };
  }

  close(): void {
    this.#watch?.stop();
    for (const listener of this.#open.values()) listener.close();
  }

  #listener(text: string, tls: TlsTerminator | null, sinks: Sinks): Listener {
    const address = parseAddress(text);
    const { trusted, log } = this.#options;
    const listener = new Listener(
      {
        address,
        index: this.#all.length,
        tls: address.secure === true ? tls : null,
        proxyProtocol: address.proxyProtocol === true ? trusted : null,
        ...(address.protocol === undefined ? {} : { gateway: { protocol: address.protocol, trusted } }),
        onRefused: (reason, remoteAddress) =>
          log.info(`A connection was refused: ${reason}`, { remote_address: remoteAddress }),
      },
      sinks,
    );
    this.#all.push(listener);
    return listener;
  }

  /** The one that is there goes on until the new certificates have been read. */
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
      onFailed: (error) => log.error(`Changed certificates cannot be used, the old ones go on: ${error.message}`),
    });
    void this.#watch.start();
  }
}

/** One error that tells all, and where the addresses come from. */
function together(failures: readonly ViaductError[], origin: string): ViaductError {
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
