import type { Socket } from 'node:net';
import type { Peer, Request } from '../message.ts';
import type { ConnectionChanges } from './server-context.ts';

/** Serves connections whose protocol is known. */
export interface ConnectionHandler {
  /**
   * Takes over `socket`, which the listener with index `listener` accepted and nobody else reads. `peer` is who is at the other end; null when
   * the socket itself knows.
   */
  accept(socket: Socket, listener: number, peer: Peer | null): void;
}

/** A request that is not answered completely. */
export interface OpenRequest {
  /** As handlers and logs see it. */
  readonly request: Request;
  /** Whether its response is being sent. */
  readonly isResponding: boolean;
  /** `performance.now()` at the end of its head; 0 if it is not known, because nothing is logged. */
  readonly startedAtMs: number;
}

/** One protocol that clients speak: all its connections. The server and its listeners know nothing else of a protocol. */
export interface ProtocolServer extends ConnectionHandler {
  /** Open connections, as far as they count against `connectionsMax`. */
  readonly size: number;
  /** The requests of all its connections, which only people and monitors ask for. */
  requests(): Iterable<OpenRequest>;
  /** Applies what a reload changed: `onAnswered` and `notesArrival` to all connections, everything else to connections accepted from now on. */
  reconfigure(changes: ConnectionChanges): void;
  /** Closes idle connections now and busy ones after their response. Resolves when all that count are closed. */
  drain(): Promise<void>;
  /** Closes all connections at once. */
  destroy(): void;
}
