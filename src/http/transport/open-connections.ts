import type { Socket } from 'node:net';
import type { Peer } from '../message.ts';
import { peerOf } from '../peer.ts';
import type { ConnectionChanges, ConnectionOptions, ServerContext } from './server-context.ts';

/** A connection, as the one who watches all of them sees it. */
export interface OpenConnection {
  /** Called once a tick. */
  sweep(): void;
  /** Closes when nothing of it is under way any more. */
  drain(): void;
  destroy(): void;
}

/** What `admit` says of a client that nobody counts. */
export const UNCOUNTED = (): void => {};

/** All connections of one protocol, what they share, and the one timer that watches them. */
export abstract class OpenConnections<Context extends ServerContext, Connection extends OpenConnection> {
  readonly #contextOf: (options: ConnectionOptions, tickMs: number | null) => Context;
  readonly #openElsewhere: () => number;
  #context: Context;
  /** Those of before that still have connections, and the current one. */
  readonly #contexts = new Set<Context>();
  readonly #open = new Set<Connection>();
  #timer: NodeJS.Timeout | null = null;
  #waitingForEnd: (() => void)[] = [];

  /** `openElsewhere` tells how many connections of other protocols count against `connectionsMax` too. */
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

  /** Takes what changed: who is told of answers for all connections, the rest for those that come from now on. */
  reconfigure(changes: ConnectionChanges): void {
    const { options, tickMs } = this.#context;
    this.#context = this.#contextOf({ ...options, ...changes }, tickMs);
    this.#contexts.add(this.#context);
    for (const context of this.#contexts) context.onAnswered = this.#context.options.onAnswered;
  }

  get size(): number {
    return this.#open.size;
  }

  /** Closes idle connections now and busy ones after their last response. Resolves when all are closed. */
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

  protected get context(): Context {
    return this.#context;
  }

  /** Whether no further connection may be open. */
  protected get isFull(): boolean {
    const { connectionsMax = Number.POSITIVE_INFINITY } = this.#context.options;
    return this.#open.size + this.#openElsewhere() >= connectionsMax;
  }

  /** Asks whether the client of `socket` may stay: null when it may not, otherwise what is to be called once it has left. */
  protected admit(socket: Socket, listener: number, peer: Peer | null): (() => void) | null {
    if (this.isFull) return null;
    const { admission } = this.#context.options;
    if (!admission) return UNCOUNTED;
    const { remoteAddress } = peer ?? peerOf(socket, listener);
    return admission.accept(remoteAddress) ? () => admission.release(remoteAddress) : null;
  }

  /** Watches `connection` from now on. */
  protected add(connection: Connection): void {
    this.#open.add(connection);
    this.#timer ??= setInterval(() => this.#sweep(), this.#context.tickMs);
  }

  /** `connection` is closed. */
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
