import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { createServer, type SecureContext, type Server, type TLSSocket } from 'node:tls';
import { ViaductError } from '../../errors.ts';
import { findByHostName } from './host-names.ts';
import {
  type CertificateStatus,
  loadContexts,
  TICKET_KEY_BYTES,
  type TlsContexts,
  type TlsOptions,
} from './tls-contexts.ts';

export interface TerminatorOptions extends TlsOptions {
  /** Whether the server offers HTTP/2 to clients (ALPN, RFC 7301). */
  readonly http2: boolean;
  /** Time limit for a handshake. */
  readonly handshakeTimeoutMs?: number;
}

/**
 * Called once at the end of a handshake: with a socket, or with null and the reason of the failure. The reason is '' if the client has sent
 * nothing: browsers open connections in reserve, and try several addresses at once (RFC 8305).
 */
export type HandshakeEnd = (secured: TLSSocket | null, reason: string) => void;

const HANDSHAKE_TIMEOUT_MS = 10_000;

/**
 * Does the TLS handshake with clients on accepted sockets. Several listeners can share one terminator. Certificates can be replaced:
 * handshakes under way finish with the old certificates, and sessions continue.
 */
export class TlsTerminator {
  readonly #ticketKeys = randomBytes(TICKET_KEY_BYTES);
  readonly #handshakes = new Map<Socket, HandshakeEnd>();
  readonly #onRawClosed = withEmitter((raw: Socket) => {
    setImmediate(() => this.#end(raw, null, 'the client has left')); // TLS may report a better reason before
  });
  #options: TerminatorOptions;
  #contexts: TlsContexts | null = null;
  #server: Server | null = null;

  constructor(options: TerminatorOptions) {
    this.#options = options;
  }

  /**
   * Reads certificates and keys, with new options if they are given. Returns warnings: why clients may refuse the certificates.
   *
   * @throws ViaductError `CERTIFICATE` with all problems, one on each line. The terminator stays as it was.
   */
  load(options: TerminatorOptions = this.#options): readonly string[] {
    const { contexts, report } = loadContexts(options, this.#ticketKeys);
    if (contexts === null) {
      throw new ViaductError('CERTIFICATE', report.problems.join('\n'), { advice: 'Fix the files or their names.' });
    }
    this.#server = this.#serverFor(contexts, options);
    this.#options = options;
    this.#contexts = contexts;
    return report.warnings;
  }

  /** The files that were read. */
  get files(): readonly string[] {
    return this.#contexts?.files ?? [];
  }

  /** What clients get. */
  get certificates(): readonly CertificateStatus[] {
    return this.#contexts?.certificates ?? [];
  }

  /** Starts a handshake on `raw`. A failed handshake destroys `raw`, and the destruction of `raw` ends the handshake. */
  start(raw: Socket, onEnd: HandshakeEnd): void {
    this.#handshakes.set(raw, onEnd);
    raw.on('error', ignore);
    raw.once('close', this.#onRawClosed);
    raw.allowHalfOpen = false; // a client that sends FIN during the handshake does not wait for an answer
    if (this.#server === null) this.#end(raw, null, 'no certificate is loaded');
    else this.#server.emit('connection', raw);
  }

  #serverFor(contexts: TlsContexts, options: TerminatorOptions): Server {
    const { clientCertificates, handshakeTimeoutMs = HANDSHAKE_TIMEOUT_MS, http2 } = options;
    const { byName } = contexts;
    const server = createServer({
      ...contexts.standard,
      handshakeTimeout: handshakeTimeoutMs,
      ALPNProtocols: http2 ? ['h2', 'http/1.1', 'http/1.0'] : ['http/1.1', 'http/1.0'],
      requestCert: clientCertificates !== 'off',
      rejectUnauthorized: clientCertificates === 'required',
      ...(byName.size === 0 ? {} : { SNICallback: chooseIn(byName) }),
    });
    server.on('secureConnection', (socket) => this.#end(rawOf(socket), socket, ''));
    server.on('tlsClientError', (error, socket) => this.#end(rawOf(socket), null, whyFailed(error, socket)));
    return server;
  }

  #end(raw: Socket, secured: TLSSocket | null, reason: string): void {
    const onEnd = this.#handshakes.get(raw);
    if (onEnd === undefined) return;
    this.#handshakes.delete(raw);
    raw.off('close', this.#onRawClosed);
    if (secured === null) raw.destroy();
    else secured.allowHalfOpen = true;
    onEnd(secured, raw.bytesRead === 0 ? '' : reason);
  }
}

function chooseIn(byName: ReadonlyMap<string, SecureContext>) {
  return (name: string, done: (error: Error | null, context?: SecureContext) => void): void =>
    done(null, findByHostName(byName, name));
}

/** A listener that all emitters can share: it gets the emitter as its argument. */
function withEmitter<T>(handle: (emitter: T) => void): (this: T) => void {
  return function listener(this: T): void {
    handle(this);
  };
}

/** Nothing to do: an error of the raw socket also ends the handshake or the TLS connection. */
function ignore(): void {}

/** The short reason of OpenSSL if there is one: its messages contain the names of its source files. */
function whyFailed(error: Error & { readonly reason?: string }, socket: TLSSocket): string {
  const { authorizationError } = socket as { readonly authorizationError?: Error | string | null };
  if (authorizationError) return `the client's certificate is refused (${String(authorizationError)})`;
  return error.reason ?? error.message;
}

/** The raw socket of a TLS socket: the events of a TLS server have only the latter. */
function rawOf(socket: TLSSocket): Socket {
  return (socket as unknown as { readonly _parent: Socket })._parent;
}
