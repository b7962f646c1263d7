import type { Request } from '../../http/message.ts';
import type { Backend } from '../backend.ts';
import type { TickClock } from '../tick-clock.ts';
import { BackendConnection, type ConnectionUser } from './backend-connection.ts';
import type { Transport } from './transport.ts';

export interface ConnectionPoolOptions {
  /** Number of idle connections to keep. 0 keeps none. */
  readonly keepAliveMax: number;
  readonly keepAliveTimeoutMs: number;
  readonly connectTimeoutMs: number;
}

/** The backend is unlikely to close a connection that was used within this time. */
const FRESH_MS = 1000;

/** The connections to one backend. The most recently used connection is reused first, so that the others can expire. */
export class ConnectionPool {
  readonly #backend: Backend;
  readonly #clock: TickClock;
  readonly #transport: Transport;
  readonly #options: ConnectionPoolOptions;
  readonly #idle: BackendConnection[] = [];
  readonly #open = new Set<BackendConnection>();
  readonly #onFreed: () => void;
  readonly #forget = (connection: BackendConnection): void => this.#remove(connection);
  readonly #keepAliveTicks: number;
  readonly #connectTicks: number;
  readonly #freshTicks: number;
  #stopped = false;

  /** `onFreed` is called when the number of active connections has decreased. */
  constructor(
    backend: Backend,
    transport: Transport,
    clock: TickClock,
    options: ConnectionPoolOptions,
    onFreed: () => void,
  ) {
    this.#backend = backend;
    this.#transport = transport;
    this.#onFreed = onFreed;
    this.#clock = clock;
    this.#options = options;
    this.#keepAliveTicks = clock.ticks(options.keepAliveTimeoutMs) - 1; // early, so that the proxy closes first
    this.#connectTicks = clock.ticks(options.connectTimeoutMs);
    this.#freshTicks = clock.ticks(FRESH_MS) - 1;
  }

  /** Number of connections in use by requests and tunnels. */
  get active(): number {
    return this.#open.size - this.#idle.length;
  }

  /** The requests that have a connection. */
  *requests(): Iterable<Request> {
    for (const { user } of this.#open) if (user !== null && user.request !== null) yield user.request;
  }

  /**
   * Returns an idle connection for `user`, null without one. When `repeatable` is false, only a recently used
   * connection is returned: a request is lost if the backend closes the connection at the same moment.
   */
  take(user: ConnectionUser, repeatable: boolean): BackendConnection | null {
    for (;;) {
      const connection = this.#idle.at(-1);
      if (connection === undefined) return null;
      if (!repeatable && this.#clock.tick - connection.idleSince > this.#freshTicks) return null;
      this.#idle.pop();
      if (connection.closed) continue;
      connection.user = user;
      connection.clearDeadline();
      return connection;
    }
  }

  /** Opens a new connection for `user`. */
  open(user: ConnectionUser): BackendConnection {
    const connection = new BackendConnection(this.#backend, this.#clock, this.#transport, user, this.#forget);
    this.#open.add(connection);
    connection.setDeadline(this.#connectTicks);
    return connection;
  }

  /**
   * Takes back a connection after a complete request and response. The connection stays open for the next request if
   * there is room.
   */
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
    connection.setDeadline(this.#keepAliveTicks);
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
