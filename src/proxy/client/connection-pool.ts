import type { Request } from '../../http/message.ts';
import type { Backend } from '../backend.ts';
import type { TickClock } from '../tick-clock.ts';
import { BackendConnection, type ConnectionUser } from './backend-connection.ts';
import { KeepAliveKnowledge } from './keep-alive-knowledge.ts';
import type { Transport } from './transport.ts';

export interface ConnectionPoolOptions {
  /** Number of idle connections to keep. 0 keeps none. */
  readonly keepAliveMax: number;
  readonly keepAliveTimeoutMs: number;
  readonly connectTimeoutMs: number;
}

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
  readonly #knowledge = new KeepAliveKnowledge();
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
   * Returns an idle connection for `user`, null without one. When `repeatable` is false, only a connection that the backend
   * will keep open is returned: a request is lost if the backend closes the connection at the same moment.
   */
  take(user: ConnectionUser, repeatable: boolean): BackendConnection | null {
    if (this.#idle.length === 0) return null;
    const now = performance.now();
    for (let at = this.#idle.length - 1; at >= 0; at -= 1) {
      const connection = this.#idle[at] as BackendConnection;
      const idleMs = now - connection.idleSince;
      if (connection.closed || !(repeatable ? this.#knowledge.allows(idleMs) : this.#knowledge.trusts(idleMs)))
        continue;
      if (at === this.#idle.length - 1) this.#idle.pop();
      else this.#idle.splice(at, 1);
      this.#knowledge.stayedOpen(idleMs);
      connection.user = user;
      connection.clearDeadline();
      return connection;
    }
    return null;
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
    if (connection.served > 0) this.#knowledge.reused();
    connection.served += 1;
    if (this.#stopped || this.#idle.length >= this.#options.keepAliveMax || connection.closed) {
      connection.destroy();
      return;
    }
    this.#idle.push(connection);
    connection.idleSince = performance.now();
    connection.setReading(true);
    connection.setDeadline(this.#keepAliveTicks);
    this.#onFreed();
  }

  /** The backend closed `connection` before it answered a request there, and after it had answered another one. */
  closedAfterUse(connection: BackendConnection): void {
    this.#knowledge.closed(performance.now() - connection.idleSince);
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
    if (at < 0) {
      this.#onFreed();
      return;
    }
    this.#idle.splice(at, 1);
    const idleMs = performance.now() - connection.idleSince;
    if (connection.closedByBackend) this.#knowledge.closed(idleMs);
    else this.#knowledge.stayedOpen(idleMs);
  }
}
