import type { Duplex } from 'node:stream';
import type { Peer } from '../message.ts';
import type { ConnectionChanges, ConnectionOptions } from '../server-context.ts';
import { Http2Connection } from './connection.ts';
import { Http2Context } from './http2-context.ts';

/** All HTTP/2 connections of a server and the one timer that watches them. */
export class Http2Connections {
  #context: Http2Context;
  /** Those of before that still have connections, and the current one. */
  readonly #contexts = new Set<Http2Context>();
  readonly #open = new Set<Http2Connection>();
  readonly #openElsewhere: () => number;
  readonly #forget = (connection: Http2Connection): void => this.#remove(connection);
  #timer: NodeJS.Timeout | null = null;
  #waitingForEnd: (() => void)[] = [];

  /** `openElsewhere` tells how many connections of other protocols count against `connectionsMax` too. */
  constructor(options: ConnectionOptions, openElsewhere: () => number = () => 0) {
    this.#context = new Http2Context(options);
    this.#contexts.add(this.#context);
    this.#openElsewhere = openElsewhere;
  }

  /** Takes changed limits for connections that come from now on. */
  reconfigure(changes: ConnectionChanges): void {
    const { options, tickMs } = this.#context;
    this.#context = new Http2Context({ ...options, ...changes }, tickMs);
    this.#contexts.add(this.#context);
  }

  get size(): number {
    return this.#open.size;
  }

  /**
   * Speaks HTTP/2 on `socket`, which nobody else reads any more: after TLS agreed on `h2`, or with a client that knows before (RFC 9113
   * section 3.3). `early` is what was read of it already, its preface included. `peer` is who is at the other end, where the socket does not
   * know.
   */
  accept(socket: Duplex, listener: number, peer: Peer | null = null, early: Buffer | null = null): void {
    const { connectionsMax = Number.POSITIVE_INFINITY } = this.#context.options;
    if (this.#context.draining || this.#open.size + this.#openElsewhere() >= connectionsMax) {
      socket.on('error', () => {});
      socket.destroy();
      return;
    }
    if (socket.destroyed) return;
    const connection = new Http2Connection(socket, listener, this.#context, peer, this.#forget);
    this.#open.add(connection);
    connection.open(early);
    this.#timer ??= setInterval(() => this.#sweep(), this.#context.tickMs);
  }

  /** Tells all clients to go elsewhere (GOAWAY), finishes the requests that are there. Resolves when all connections are closed. */
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

  #remove(connection: Http2Connection): void {
    if (!this.#open.delete(connection) || this.#open.size > 0) return;
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    this.#contexts.clear();
    this.#contexts.add(this.#context);
    for (const resolve of this.#waitingForEnd.splice(0)) resolve();
  }
}
