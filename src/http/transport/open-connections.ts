import type { Socket } from 'node:net';
import type { Peer } from '../message.ts';
import { peerOf } from '../peer.ts';
import type { OpenRequest, ProtocolServer } from './protocol-server.ts';
import type { ConnectionChanges, ConnectionOptions, ServerContext } from './server-context.ts';

/** A connection as its server sees it. */
export interface OpenConnection {
  /** Called once a tick. */
  sweep(): void;
  /** The requests that are not answered completely. */
  requests(): Iterable<OpenRequest>;
  /** Closes as soon as no request is in progress. */
  drain(): void;
  destroy(): void;
}

/** The result of `admit` for a client that is not counted. */
export const UNCOUNTED = (): void => {};

/** All connections of one protocol, their shared context, and the one timer that watches them. */
export abstract class OpenConnections<Context extends ServerContext, Connection extends OpenConnection>
  implements ProtocolServer
{
  readonly #contextOf: (options: ConnectionOptions, tickMs: number | null) => Context;
  readonly #openElsewhere: () => number;
  #context: Context;
  /** The current context, and earlier ones that still have connections. */
  readonly #contexts = new Set<Context>();
  readonly #open = new Set<Connection>();
  #timer: NodeJS.Timeout | null = null;
  #waitingForEnd: (() => void)[] = [];

  /** `openElsewhere` returns the number of connections of other protocols, which count against `connectionsMax` too. */
  constructor(
    options: ConnectionOptions,
    openElsewhere: () => number,
    contextOf: (options: ConnectionOptions, tickMs: number | null) => Context,
  ) {
    this.#contextOf = contextOf;
    this.#openElsewhere = openElsewhere;
    this.#context = contextOf(options, null);
    this.#contexts.add(this.#context);
  }

  /** See `ProtocolServer.reconfigure`. */
  reconfigure(changes: ConnectionChanges): void {
    const { options, tickMs } = this.#context;
    this.#context = this.#contextOf({ ...options, ...changes }, tickMs);
    this.#contexts.add(this.#context);
    for (const context of this.#contexts) {
      context.onAnswered = this.#context.onAnswered;
      context.notesArrival = this.#context.notesArrival;
    }
  }

  get size(): number {
    return this.#open.size;
  }

  *requests(): Iterable<OpenRequest> {
    for (const connection of this.#open) yield* connection.requests();
  }

  /** See `ProtocolServer.drain`. */
  drain(): Promise<void> {
    for (const context of this.#contexts) context.draining = true;
    for (const connection of this.#open) connection.drain();
    if (this.#open.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#waitingForEnd.push(resolve));
  }

  abstract accept(socket: Socket, listener: number, peer: Peer | null): void;

  /** Closes all connections at once. */
  destroy(): void {
    for (const context of this.#contexts) context.draining = true;
    for (const connection of this.#open) connection.destroy();
  }

  protected get context(): Context {
    return this.#context;
  }

  /** Whether the limit of open connections is reached. */
  protected get isFull(): boolean {
    const { connectionsMax = Number.POSITIVE_INFINITY } = this.#context.options;
    return this.#open.size + this.#openElsewhere() >= connectionsMax;
  }

  /** Admits the client of `socket`. Returns null if it must leave, otherwise a function to call once it has left. */
  protected admit(socket: Socket, listener: number, peer: Peer | null): (() => void) | null {
    const { admission, onTurnedAway } = this.#context.options;
    if (!admission && !this.isFull) return UNCOUNTED;
    const { remoteAddress } = peer ?? peerOf(socket, listener);
    if (this.isFull) onTurnedAway?.('there are too many connections', remoteAddress);
    else if (admission?.accept(remoteAddress)) return () => admission.release(remoteAddress);
    else onTurnedAway?.('the address has too many connections', remoteAddress);
    return null;
  }

  /** Starts to watch `connection`. */
  protected add(connection: Connection): void {
    this.#open.add(connection);
    this.#timer ??= setInterval(() => this.#sweep(), this.#context.tickMs);
  }

  /** Called when `connection` is closed. */
  protected readonly remove = (connection: Connection): void => {
    if (!this.#open.delete(connection) || this.#open.size > 0) return;
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    this.#contexts.clear();
    this.#contexts.add(this.#context);
    for (const resolve of this.#waitingForEnd.splice(0)) resolve();
  };

  #sweep(): void {
    for (const context of this.#contexts) context.tick += 1;
    for (const connection of this.#open) connection.sweep();
  }
}
