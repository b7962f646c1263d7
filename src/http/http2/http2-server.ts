import type { Socket } from 'node:net';
import type { Peer } from '../message.ts';
import { OpenConnections, UNCOUNTED } from '../transport/open-connections.ts';
import type { ConnectionOptions } from '../transport/server-context.ts';
import { readSocket } from '../transport/socket-reader.ts';
import { Http2Connection } from './connection.ts';
import { Http2Context } from './http2-context.ts';

/** All HTTP/2 connections of a server. When it drains their clients are told to go elsewhere (GOAWAY). */
export class Http2Server extends OpenConnections<Http2Context, Http2Connection> {
  /** `openElsewhere` returns the number of connections of other protocols, which count against `connectionsMax` too. */
  constructor(options: ConnectionOptions, openElsewhere: () => number = () => 0) {
    super(options, openElsewhere, (changed, tickMs) => new Http2Context(changed, tickMs));
  }

  /**
   * Speaks HTTP/2 on `accepted`: after TLS has negotiated `h2`, or with prior knowledge (RFC 9113 section 3.3). With prior knowledge, `early`
   * is everything that was already read, the preface included, and the client is already admitted. See `ConnectionHandler.accept` for the
   * other parameters.
   */
  override accept(accepted: Socket, listener: number, peer: Peer | null = null, early: Buffer | null = null): void {
    if (accepted.destroyed) return;
    const onLeft = this.#admit(accepted, listener, peer, early !== null);
    if (onLeft === null) {
      accepted.on('error', () => {});
      accepted.destroy();
      return;
    }
    const socket = readSocket<Http2Connection>(accepted);
    if (onLeft !== UNCOUNTED) socket.once('close', onLeft);
    const connection = new Http2Connection(socket, listener, this.context, peer, this.remove);
    this.add(connection);
    connection.open(early);
  }

  #admit(socket: Socket, listener: number, peer: Peer | null, isCounted: boolean): (() => void) | null {
    if (this.context.draining) return null;
    if (isCounted) return this.isFull ? null : UNCOUNTED;
    return this.admit(socket, listener, peer);
  }
}
