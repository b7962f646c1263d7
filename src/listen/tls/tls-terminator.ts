import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { createServer, type SecureContext, type Server, type TLSSocket } from 'node:tls';
import { ViaductError } from '../../errors.ts';
import { findByHostName } from './host-names.ts';
import { loadContexts, TICKET_KEY_BYTES, type TlsContexts, type TlsOptions } from './tls-contexts.ts';

export interface TerminatorOptions extends TlsOptions {
  /** Whether clients are offered HTTP/2 (ALPN, RFC 7301). */
  readonly http2: boolean;
  /** By when a handshake must be over. */
  readonly handshakeTimeoutMs?: number;
}

/** Told once how a handshake ended: with a socket, or with the reason why there is none. */
export type HandshakeEnd = (secured: TLSSocket | null, reason: string) => void;

const HANDSHAKE_TIMEOUT_MS = 10_000;

/**
 * Speaks TLS with clients on sockets that were accepted elsewhere. Several listeners can share one. Certificates can be replaced: who has
 * begun a handshake ends it with the old ones, sessions go on.
 */
export class TlsTerminator {
  readonly #ticketKeys = randomBytes(TICKET_KEY_BYTES);
  readonly #handshakes = new Map<Socket, HandshakeEnd>();
  readonly #onRawClosed = thisFirst((raw: Socket) => {
    setImmediate(() => this.#end(raw, null, 'the client has left')); // TLS may know better why
  });
  #options: TerminatorOptions;
  #contexts: TlsContexts | null = null;
  #server: Server | null = null;

  constructor(options: TerminatorOptions) {
    this.#options = options;
  }

  /**
   * Reads certificates and keys, with other options where they are given. Returns what clients will complain of.
   *
   * @throws ViaductError `CERTIFICATE` with all that is wrong, a line each. Nothing has changed then.
   */
  load(options: TerminatorOptions = this.#options): readonly string[] {
    const { contexts, findings } = loadContexts(options, this.#ticketKeys);
    if (contexts === null) {
      throw new ViaductError('CERTIFICATE', findings.problems.join('\n'), { advice: 'Mend the files or their names.' });
    }
    this.#server = this.#serverFor(contexts, options);
    this.#options = options;
    this.#contexts = contexts;
    return findings.warnings;
  }

  /** All files that were read. */
  get files(): readonly string[] {
    return this.#contexts?.files ?? [];
  }

  /** Begins a handshake. When it fails `raw` is destroyed; who destroys `raw` ends it. */
  start(raw: Socket, onEnd: HandshakeEnd): void {
    this.#handshakes.set(raw, onEnd);
    raw.on('error', ignore);
    raw.once('close', this.#onRawClosed);
    raw.allowHalfOpen = false; // who sends FIN within a handshake waits for nothing
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
    onEnd(secured, reason);
  }
}

function chooseIn(byName: ReadonlyMap<string, SecureContext>) {
  return (name: string, found: (error: Error | null, context?: SecureContext) => void): void =>
    found(null, findByHostName(byName, name));
}

/** A listener that is the same for all emitters, and told which one it is. */
function thisFirst<T>(then: (emitter: T) => void): (this: T) => void {
  return function listener(this: T): void {
    then(this);
  };
}

/** What goes wrong beneath TLS ends the handshake, or the connection, above. */
function ignore(): void {}

/** OpenSSL's messages name its source files; its reason says the same in a few words. */
function whyFailed(error: Error & { readonly reason?: string }, socket: TLSSocket): string {
  const { authorizationError } = socket as { readonly authorizationError?: Error | string | null };
  if (authorizationError) return `the client's certificate is refused (${String(authorizationError)})`;
  return error.reason ?? error.message;
}

/** The socket beneath TLS: a server's events bring only the one above. */
function rawOf(socket: TLSSocket): Socket {
  return (socket as unknown as { readonly _parent: Socket })._parent;
}
