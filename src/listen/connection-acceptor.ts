import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import type { Peer } from '../http/message.ts';
import { peerOf } from '../http/peer.ts';
import type { GatewayProtocol } from './address.ts';
import { type ProxiedClient, readProxyHeader } from './proxy-protocol.ts';
import { clientCertificateOf } from './tls/client-certificate.ts';
import type { TlsTerminator } from './tls/tls-terminator.ts';

/** Where connections go once their protocol is known. `peer` is null when the socket itself knows who is at its other end. */
export interface Sinks {
  readonly http1: { accept(socket: Socket, listener: number, peer: Peer | null): void };
  /** Null when HTTP/2 is off: a client that insists on it finds no protocol in common. */
  readonly http2: { accept(socket: Duplex, listener: number, peer: Peer | null): void } | null;
  /** Null when no front speaks a gateway protocol here. */
  readonly gateway: { accept(socket: Socket, listener: number, protocol: GatewayProtocol): void } | null;
}

export interface ArrivalOptions {
  /** Of the listener, in the server's list. */
  readonly index: number;
  /** Null for a listener without TLS. Several can share one. */
  readonly tls: TlsTerminator | null;
  /**
   * The gateway protocol that is spoken here, without TLS, and from which addresses: who speaks one says who the client is. HTTP when absent.
   */
  readonly gateway?: { readonly protocol: GatewayProtocol; readonly trusted: (remoteAddress: string) => boolean };
  /**
   * When not null each connection must begin with a PROXY header, and come from an address that is trusted with it: the predicate gets it in
   * numbers, '' on a Unix socket. Others are closed.
   */
  readonly proxyProtocol: ((remoteAddress: string) => boolean) | null;
  /** How long a PROXY header may take. */
  readonly proxyHeaderTimeoutMs?: number;
  /** Connections that may be on their way to a protocol at once; further ones are closed. */
  readonly arrivalsMax?: number;
  /** A connection did not get as far as a protocol. For the log. */
  readonly onRefused?: (reason: string, remoteAddress: string) => void;
}

const PROXY_HEADER_TIMEOUT_MS = 5000;
const ARRIVALS_MAX = 2048;

/** Takes accepted sockets through what comes before their protocol: PROXY header, TLS handshake, choice between HTTP/1.1 and HTTP/2. */
export class Arrivals {
  readonly #options: ArrivalOptions;
  readonly #sinks: Sinks;
  readonly #open = new Set<Socket>();

  constructor(options: ArrivalOptions, sinks: Sinks) {
    this.#options = options;
    this.#sinks = sinks;
  }

  accept(socket: Socket): void {
    const { index, tls, proxyProtocol, gateway } = this.#options;
    if (gateway !== undefined && !gateway.trusted(peerOf(socket, index).remoteAddress)) {
      this.#refuse(socket, `the address is not trusted with requests over ${gateway.protocol}`);
      return;
    }
    if (tls === null && proxyProtocol === null) this.#handOver(socket, null);
    else if (this.#open.size >= (this.#options.arrivalsMax ?? ARRIVALS_MAX)) {
      this.#refuse(socket, 'too many connections are in their handshake');
    } else if (proxyProtocol === null) this.#secure(socket, null);
    else this.#readProxyHeader(socket, proxyProtocol);
  }

  /** Ends what has not got as far as its protocol. */
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

  /** The socket speaks without TLS. */
  #handOver(socket: Socket, peer: Peer | null): void {
    const { index, gateway } = this.#options;
    if (gateway === undefined) this.#sinks.http1.accept(socket, index, peer);
    else this.#sinks.gateway?.accept(socket, index, gateway.protocol);
  }

  #secure(socket: Socket, proxied: Peer | null): void {
    const { index, tls } = this.#options;
    const rawPeer = proxied ?? peerOf(socket, index);
    this.#open.add(socket);
    tls?.start(socket, (secured, reason) => {
      this.#open.delete(socket);
      if (secured === null) this.#options.onRefused?.(`TLS: ${reason}`, rawPeer.remoteAddress);
      else this.#handOn(secured, securePeer(rawPeer, secured));
    });
  }

  #handOn(socket: TLSSocket, peer: Peer): void {
    const { http1, http2 } = this.#sinks;
    if (socket.alpnProtocol === 'h2' && http2 !== null) http2.accept(socket, this.#options.index, peer);
    else http1.accept(socket, this.#options.index, peer);
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

function securePeer(peer: Peer, socket: TLSSocket): Peer {
  const clientCertificate = clientCertificateOf(socket);
  return { ...peer, secure: true, ...(clientCertificate === null ? {} : { clientCertificate }) };
}
