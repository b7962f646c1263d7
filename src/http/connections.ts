import type { Socket } from 'node:net';
import { Connection } from './connection.ts';
import type { Peer } from './message.ts';
import { peerOf } from './peer.ts';
import { type ConnectionChanges, type ConnectionOptions, ServerContext } from './server-context.ts';
import { readSocket } from './socket-reader.ts';

export type { ConnectionOptions } from './server-context.ts';

/** All connections of a server and the one timer that watches them. */
export class Connections {
  #context: ServerContext;
  /** Those of before that still have connections, and the current one. */
  readonly #contexts = new Set<ServerContext>();
  readonly #open = new Set<Connection>();
  readonly #forget = (connection: Connection): void => this.#remove(connection);
  readonly #openElsewhere: () => number;
  #timer: NodeJS.Timeout | null = null;
  #waitingForEnd: (() => void)[] = [];

  /** `openElsewhere` tells how many connections of other protocols count against `connectionsMax` too. */
  constructor(options: ConnectionOptions, openElsewhere: () => number = () => 0) {
    this.#openElsewhere = openElsewhere;
    this.#context = new ServerContext(options);
    this.#contexts.add(this.#context);
  }

  /** Takes changed limits for connections that come from now on. */
  reconfigure(changes: ConnectionChanges): void {
    const { options, tickMs } = this.#context;
    this.#context = new ServerContext({ ...options, ...changes }, tickMs);
    this.#contexts.add(this.#context);
  }

  get size(): number {
    return this.#open.size;
  }

  /**
   * Speaks HTTP/1.1 on `accepted`, a socket of the listener with this index, with `allowHalfOpen`, and with `pauseOnConnect` where it is
   * to be read the fast way. `peer` is who is at the other end, where the socket does not know.
   */
  accept(accepted: Socket, listener: number, peer: Peer | null = null): void {
    const { connectionsMax = Number.POSITIVE_INFINITY, admission } = this.#context.options;
    const address = admission ? (peer ?? peerOf(accepted, listener)).remoteAddress : '';
    if (this.#open.size + this.#openElsewhere() >= connectionsMax || admission?.accept(address) === false) {
      accepted.destroy();
      return;
    }
    const socket = readSocket<Connection>(accepted);
    if (admission) socket.once('close', () => admission.release(address));
    const connection = new Connection(socket, listener, this.#context, peer, this.#forget);
    this.#open.add(connection);
    connection.open();
    this.#timer ??= setInterval(() => this.#sweep(), this.#context.tickMs);
  }

  /** Closes idle connections now and busy ones after their response. Resolves when all are closed. */
  drain(): Promise<void> {
    for (const context of this.#contexts) context.draining = true;
    for (const connection of this.#open) connection.drain();
    if (this.#open.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#waitingForEnd.push(resolve));
  }

  /** Cuts all connections. */
  destroy(): void {
    for (const context of this.#contexts) context.draining = true;
    for (const connection of this.#open) connection.destroy();
  }

  #sweep(): void {
    for (const context of this.#contexts) context.tick += 1;
    for (const connection of this.#open) connection.sweep();
  }

  #remove(connection: Connection): void {
    if (!this.#open.delete(connection) || this.#open.size > 0) return;
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    this.#contexts.clear();
    this.#contexts.add(this.#context);
    for (const resolve of this.#waitingForEnd.splice(0)) resolve();
  }
}
