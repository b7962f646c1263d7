import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { Peer, TlsConnection } from '../http/message.ts';
import { peerOf } from '../http/peer.ts';
import type { ConnectionHandler } from '../http/transport/protocol-server.ts';
import type { CgiProtocol } from './address.ts';
import { type ProxiedClient, readProxyHeader } from './proxy-protocol.ts';
import { clientCertificateOf } from './tls/client-certificate.ts';
import type { TlsTerminator } from './tls/tls-terminator.ts';

/** Protocols by their names in ALPN (RFC 7301), and those that front-end proxies speak. */
export type ProtocolName = 'http/1.1' | 'h2' | CgiProtocol;

/** Serve a connection once its protocol is known. A connection whose protocol is absent is refused. */
export type ProtocolHandlers = ReadonlyMap<ProtocolName, ConnectionHandler>;

export interface ConnectionAcceptorOptions {
  /** The listener's index in the server's list. */
  readonly index: number;
  /** Null for a listener without TLS. Several listeners can share one. */
  readonly tls: TlsTerminator | null;
  /**
   * The CGI protocol of this listener, which has no TLS, and the addresses that may use it, because a front-end proxy says who the client is.
   * HTTP when absent.
   */
  readonly cgi?: { readonly protocol: CgiProtocol; readonly trusted: (remoteAddress: string) => boolean };
  /**
   * If not null, each connection must start with a PROXY header and come from a trusted address. Other connections are closed. The predicate
   * receives the numeric address, '' on a Unix socket.
   */
  readonly proxyProtocol: ((remoteAddress: string) => boolean) | null;
  /** The time that a PROXY header may take to arrive. */
  readonly proxyHeaderTimeoutMs?: number;
  /** Connections whose protocol is not known yet; further ones are closed. */
  readonly pendingMax?: number;
  /** Called for each connection that its protocol takes. For metrics. */
  readonly onServed?: ((protocol: ProtocolName, isSecure: boolean) => void) | undefined;
  /** Called for a connection that ended before its protocol was known. For the log. */
  readonly onRefused?: (reason: string, remoteAddress: string) => void;
}

const PROXY_HEADER_TIMEOUT_MS = 5000;
const PENDING_MAX = 2048;

/** Prepares accepted sockets for their protocol: PROXY header, TLS handshake, choice between HTTP/1.1 and HTTP/2. */
export class ConnectionAcceptor {
  readonly #options: ConnectionAcceptorOptions;
  readonly #handlers: ProtocolHandlers;
  readonly #open = new Set<Socket>();

  constructor(options: ConnectionAcceptorOptions, handlers: ProtocolHandlers) {
    this.#options = options;
    this.#handlers = handlers;
  }

  accept(socket: Socket): void {
    const { index, tls, proxyProtocol, cgi } = this.#options;
    if (cgi !== undefined && !cgi.trusted(peerOf(socket, index).remoteAddress)) {
      this.#refuse(socket, `the address is not trusted with requests over ${cgi.protocol}`);
      return;
    }
    if (tls === null && proxyProtocol === null) this.#handOver(socket, null);
    else if (this.#open.size >= (this.#options.pendingMax ?? PENDING_MAX)) {
      this.#refuse(socket, 'too many connections are in their handshake');
    } else if (proxyProtocol === null) this.#secure(socket, null);
    else this.#readProxyHeader(socket, proxyProtocol);
  }

  /** Closes connections whose protocol is not known yet. */
  destroy(): void {
    for (const socket of this.#open) socket.destroy();
  }

  #readProxyHeader(accepted: Socket, trusted: (remoteAddress: string) => boolean): void {
    const { index, tls, proxyHeaderTimeoutMs = PROXY_HEADER_TIMEOUT_MS } = this.#options;
    const socketPeer = peerOf(accepted, index);
    if (!trusted(socketPeer.remoteAddress)) {
      this.#refuse(accepted, 'the address is not trusted with PROXY headers');
      return;
    }
    const reading = readProxyHeader(accepted, proxyHeaderTimeoutMs, (outcome) => {
      this.#open.delete(reading);
      if (typeof outcome === 'string') {
        this.#options.onRefused?.(`no PROXY header: ${outcome}`, socketPeer.remoteAddress);
        return;
      }
      const { client } = outcome.header;
      const peer = client === null ? socketPeer : proxiedPeer(client, index);
      if (tls === null) this.#handOver(outcome.socket, peer);
      else this.#secure(outcome.socket, peer);
    });
    this.#open.add(reading);
  }

  /** Serves a socket without TLS. */
  #handOver(socket: Socket, peer: Peer | null): void {
    this.#serve(this.#options.cgi?.protocol ?? 'http/1.1', socket, peer);
  }

  #secure(socket: Socket, proxied: Peer | null): void {
    const { index, tls } = this.#options;
    const rawPeer = proxied ?? peerOf(socket, index);
    this.#open.add(socket);
    const startedAtMs = performance.now();
    tls?.start(socket, (secured, reason) => {
      this.#open.delete(socket);
      if (secured === null) {
        if (reason !== '') this.#options.onRefused?.(`TLS: ${reason}`, rawPeer.remoteAddress);
      } else
        this.#serve(
          secured.alpnProtocol === 'h2' ? 'h2' : 'http/1.1',
          secured,
          securePeer(rawPeer, secured, startedAtMs),
        );
    });
  }

  #serve(protocol: ProtocolName, socket: Socket, peer: Peer | null): void {
    const handler = this.#handlers.get(protocol);
    if (handler === undefined) this.#refuse(socket, `${protocol} is not spoken here`);
    else {
      this.#options.onServed?.(protocol, this.#options.tls !== null);
      handler.accept(socket, this.#options.index, peer);
    }
  }

  #refuse(socket: Socket, reason: string): void {
    const { remoteAddress } = peerOf(socket, this.#options.index);
    socket.destroy();
    this.#options.onRefused?.(reason, remoteAddress);
  }
}

function proxiedPeer(client: ProxiedClient, listener: number): Peer {
  return { ...client, listener };
}

function securePeer(peer: Peer, socket: TLSSocket, startedAtMs: number): Peer {
  const clientCertificate = clientCertificateOf(socket);
  const handshakeMs = [startedAtMs, performance.now()] as const;
  const tls = tlsConnectionOf(socket);
  return { ...peer, secure: true, handshakeMs, tls, ...(clientCertificate === null ? {} : { clientCertificate }) };
}

function tlsConnectionOf(socket: TLSSocket): TlsConnection {
  const { servername } = socket as { readonly servername?: string | false };
  return { version: socket.getProtocol() ?? '', cipher: socket.getCipher().name, serverName: servername || '' };
}
