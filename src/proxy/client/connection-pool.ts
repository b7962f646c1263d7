import type { Dialect } from '../../upstream/exchange/dialect.ts';
import type { Backend } from '../backend.ts';
import type { Clock } from '../tick-clock.ts';
import { BackendConnection, type ConnectionUser } from './backend-connection.ts';

export interface ConnectionPoolOptions {
  /** Idle connections that are kept. 0 keeps none. */
  readonly keepAliveMax: number;
  readonly keepAliveTimeoutMs: number;
  readonly connectTimeoutMs: number;
}

/** A connection that was used so recently is hardly about to be closed by the backend. */
const FRESH_MS = 1000;

/** The connections to one backend. The one that was used last is used first, so that the others can grow old and close. */
export class ConnectionPool {
  readonly #backend: Backend;
  readonly #clock: Clock;
  readonly #dialect: Dialect;
  readonly #options: ConnectionPoolOptions;
  readonly #idle: BackendConnection[] = [];
  readonly #open = new Set<BackendConnection>();
  readonly #onFreed: () => void;
  readonly #forget = (connection: BackendConnection): void => this.#remove(connection);
  readonly #keepAliveTicks: number;
  readonly #connectTicks: number;
  readonly #freshTicks: number;
  #stopped = false;

  /** `onFreed` is called when fewer connections are active than before. */
  constructor(backend: Backend, dialect: Dialect, clock: Clock, options: ConnectionPoolOptions, onFreed: () => void) {
    this.#backend = backend;
    this.#dialect = dialect;
    this.#onFreed = onFreed;
    this.#clock = clock;
    this.#options = options;
    this.#keepAliveTicks = clock.ticks(options.keepAliveTimeoutMs) - 1; // rather early than when the backend closes
    this.#connectTicks = clock.ticks(options.connectTimeoutMs);
    this.#freshTicks = clock.ticks(FRESH_MS) - 1;
  }

  /** Connections that a request or a tunnel uses. */
  get active(): number {
    return this.#open.size - this.#idle.length;
  }

  /**
   * An idle connection for `user`, null when there is none. With `repeatable` false only one that was used a moment ago: when the backend
   * closes it at the same time, the request is lost.
   */
  take(user: ConnectionUser, repeatable: boolean): BackendConnection | null {
    for (;;) {
      const connection = this.#idle.at(-1);
      if (connection === undefined) return null;
      if (!repeatable && this.#clock.tick - connection.idleSince > this.#freshTicks) return null;
      this.#idle.pop();
      if (connection.closed) continue;
      connection.user = user;
      connection.awaitNothing();
      return connection;
    }
  }

  /** Begins a new connection for `user`. */
  open(user: ConnectionUser): BackendConnection {
    const connection = new BackendConnection(this.#backend, this.#clock, this.#dialect, user, this.#forget);
    this.#open.add(connection);
    connection.await(this.#connectTicks);
    return connection;
  }

  /** Takes back a connection that ended its exchange cleanly: keeps it for the next one where there is room. */
  release(connection: BackendConnection): void {
    connection.user = null;
    connection.served += 1;
    if (this.#stopped || this.#idle.length >= this.#options.keepAliveMax || connection.closed) {
      connection.destroy();
      return;
    }
    this.#idle.push(connection);
    connection.idleSince = this.#clock.tick;
    connection.setReading(true);
    connection.await(this.#keepAliveTicks);
    this.#onFreed();
  }

  stop(): void {
    this.#stopped = true;
    for (const connection of this.#idle) connection.destroy();
  }

  destroy(): void {
    this.stop();
    for (const connection of this.#open) connection.destroy();
  }

  #remove(connection: BackendConnection): void {
    this.#open.delete(connection);
    const at = this.#idle.indexOf(connection);
    if (at >= 0) this.#idle.splice(at, 1);
    else this.#onFreed();
  }
}
