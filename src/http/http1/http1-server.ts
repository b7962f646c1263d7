import type { Socket } from 'node:net';
import type { Peer } from '../message.ts';
import { OpenConnections, UNCOUNTED } from '../transport/open-connections.ts';
import { type ConnectionOptions, ServerContext } from '../transport/server-context.ts';
import { readSocket } from '../transport/socket-reader.ts';
import { Connection } from './connection.ts';

export type { ConnectionOptions } from '../transport/server-context.ts';

/** All HTTP/1.1 connections of a server. */
export class Connections extends OpenConnections<ServerContext, Connection> {
  /** `openElsewhere` tells how many connections of other protocols count against `connectionsMax` too. */
  constructor(options: ConnectionOptions, openElsewhere: () => number = () => 0) {
    super(options, openElsewhere, (changed, tickMs) => new ServerContext(changed, tickMs));
  }

  /**
   * Speaks HTTP/1.1 on `accepted`, a socket of the listener with this index, with `allowHalfOpen`, and with `pauseOnConnect` where it is
   * to be read the fast way. `peer` is who is at the other end, where the socket does not know.
   */
  accept(accepted: Socket, listener: number, peer: Peer | null = null): void {
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
