import type { Socket } from 'node:net';
import type { Peer } from '../message.ts';
import { OpenConnections, UNCOUNTED } from '../transport/open-connections.ts';
import { type ConnectionOptions, ServerContext } from '../transport/server-context.ts';
import { readSocket } from '../transport/socket-reader.ts';
import { Connection } from './connection.ts';

export type { ConnectionOptions } from '../transport/server-context.ts';

/** All HTTP/1.1 connections of a server. */
export class Http1Server extends OpenConnections<ServerContext, Connection> {
  /** `openElsewhere` returns the number of connections of other protocols, which count against `connectionsMax` too. */
  constructor(options: ConnectionOptions, openElsewhere: () => number = () => 0) {
    super(options, openElsewhere, (changed, tickMs) => new ServerContext(changed, tickMs));
  }

  /**
   * Speaks HTTP/1.1 on `accepted`. The socket must have `allowHalfOpen`. With `pauseOnConnect` it is read into shared memory, which is faster.
   * See `ConnectionHandler.accept` for the other parameters.
   */
  override accept(accepted: Socket, listener: number, peer: Peer | null = null): void {
    const onLeft = this.admit(accepted, listener, peer);
    if (onLeft === null) {
      accepted.destroy();
      return;
    }
    const socket = readSocket<Connection>(accepted);
    if (onLeft !== UNCOUNTED) socket.once('close', onLeft);
    const connection = new Connection(socket, listener, this.context, peer, this.remove);
    this.add(connection);
    connection.open();
  }
}
