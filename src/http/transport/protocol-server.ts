import type { Socket } from 'node:net';
import type { Peer } from '../message.ts';
import type { ConnectionChanges } from './server-context.ts';

/** Serves connections whose protocol is known. */
export interface ConnectionHandler {
  /**
   * Takes over `socket`, which the listener with index `listener` accepted and nobody else reads. `peer` is who is at the other end; null when
   * the socket itself knows.
   */
  accept(socket: Socket, listener: number, peer: Peer | null): void;
}

/** One protocol that clients speak: all its connections. The server and its listeners know nothing else of a protocol. */
export interface ProtocolServer extends ConnectionHandler {
  /** Open connections, as far as they count against `connectionsMax`. */
  readonly size: number;
  /** Applies what a reload changed: `onAnswered` to all connections, everything else to connections accepted from now on. */
  reconfigure(changes: ConnectionChanges): void;
  /** Closes idle connections now and busy ones after their response. Resolves when all that count are closed. */
  drain(): Promise<void>;
  /** Closes all connections at once. */
  destroy(): void;
}
