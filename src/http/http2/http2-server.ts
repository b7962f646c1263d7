import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Peer } from '../message.ts';
import { OpenConnections, UNCOUNTED } from '../transport/open-connections.ts';
import type { ConnectionOptions } from '../transport/server-context.ts';
import { Http2Connection } from './connection.ts';
import { Http2Context } from './http2-context.ts';

/** All HTTP/2 connections of a server. When it drains their clients are told to go elsewhere (GOAWAY). */
export class Http2Connections extends OpenConnections<Http2Context, Http2Connection> {
  /** `openElsewhere` tells how many connections of other protocols count against `connectionsMax` too. */
  constructor(options: ConnectionOptions, openElsewhere: () => number = () => 0) {
    super(options, openElsewhere, (changed, tickMs) => new Http2Context(changed, tickMs));
  }

  /**
   * Speaks HTTP/2 on `socket`, which nobody else reads any more: after TLS agreed on `h2`, or with a client that knows before (RFC 9113
   * section 3.3). `early` is what another protocol, which has admitted the client, read of it already, its preface included. `peer` is who is
   * at the other end, where the socket does not know.
   */
  accept(socket: Duplex, listener: number, peer: Peer | null = null, early: Buffer | null = null): void {
    if (socket.destroyed) return;
    const onLeft = this.#admit(socket, listener, peer, early !== null);
    if (onLeft === null) {
      socket.on('error', () => {});
      socket.destroy();
      return;
    }
    if (onLeft !== UNCOUNTED) socket.once('close', onLeft);
    const connection = new Http2Connection(socket, listener, this.context, peer, this.remove);
    this.add(connection);
    connection.open(early);
  }

  #admit(socket: Duplex, listener: number, peer: Peer | null, isCounted: boolean): (() => void) | null {
    if (this.context.draining) return null;
    if (isCounted) return this.isFull ? null : UNCOUNTED;
    return this.admit(socket as Socket, listener, peer);
  }
}
