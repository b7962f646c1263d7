import type { Request } from '../../http/message.ts';
import type { ConnectionPoolOptions } from '../client/connection-pool.ts';
import { ClientConnection, type ConnectionOwner, type ConnectionUser } from './client-connection.ts';
import type { ConnectionContext } from './connection-context.ts';

/** How many requests a backend is assumed to accept before it has said so (RFC 9113 section 6.5.2 advises no fewer). */
const STREAMS_MAX = 100;
/** The backend is unlikely to close a connection that was used within this time. */
const FRESH_MS = 1000;

/** The connections to one backend. Requests share a connection; another one is opened when all are full. */
export class Http2Pool implements ConnectionOwner {
  readonly #context: ConnectionContext;
  readonly #options: ConnectionPoolOptions;
  readonly #connections: ClientConnection[] = [];
  readonly #keepAliveTicks: number;
  readonly #connectTicks: number;
  readonly #freshTicks: number;
  /** What the backend said last. */
  #streamsMax = STREAMS_MAX;
  #stopped = false;

  constructor(context: ConnectionContext, options: ConnectionPoolOptions) {
    const { clock } = context;
    this.#context = context;
    this.#options = options;
    this.#keepAliveTicks = clock.ticks(options.keepAliveTimeoutMs) - 1; // early, so that the proxy closes first
    this.#connectTicks = clock.ticks(options.connectTimeoutMs);
    this.#freshTicks = clock.ticks(FRESH_MS) - 1;
  }

  /** The requests that have a stream. */
  *requests(): Iterable<Request> {
    for (const { streams } of this.#connections) for (const { user } of streams.values()) yield user.request;
  }

  /** Gives `user` a connection with room: at once, or when one is ready. */
  place(user: ConnectionUser): void {
    let connection = this.#connections.findLast((one) => this.#suits(one, user));
    if (connection === undefined) {
      connection = new ClientConnection(this.#context, this);
      connection.setDeadline(this.#connectTicks);
      this.#connections.push(connection);
    }
    if (connection.isOpen) user.connected(connection);
    else connection.waiting.add(user);
  }

  /** `user` no longer waits for a connection. */
  leave(user: ConnectionUser): void {
    for (const { waiting } of this.#connections) waiting.delete(user);
  }

  stop(): void {
    this.#stopped = true;
    for (const connection of [...this.#connections])
      if (connection.active === 0 && connection.isOpen) connection.finish();
  }

  destroy(): void {
    this.#stopped = true;
    for (const connection of [...this.#connections]) connection.destroy();
  }

  // ConnectionOwner

  onReady(connection: ClientConnection): void {
    this.#streamsMax = connection.streamsMax;
    const users = [...connection.waiting];
    connection.waiting.clear();
    for (const user of users) {
      if (connection.hasRoom(0)) user.connected(connection);
      else this.place(user);
    }
    if (connection.active === 0) this.onIdle(connection);
  }

  onIdle(connection: ClientConnection): void {
    const idle = this.#connections.filter((one) => one.isOpen && one.active === 0).length;
    if (this.#stopped || idle > this.#options.keepAliveMax) connection.finish();
    else connection.setDeadline(this.#keepAliveTicks);
  }

  onClosed(connection: ClientConnection): void {
    const at = this.#connections.indexOf(connection);
    if (at >= 0) this.#connections.splice(at, 1);
  }

  /**
   * Whether `user` can take this connection. A request that must not be repeated takes no connection that was idle for
   * some time: the request is lost if the backend closes the connection at the same moment.
   */
  #suits(connection: ClientConnection, user: ConnectionUser): boolean {
    if (!connection.hasRoom(this.#streamsMax)) return false;
    if (user.isRepeatable || !connection.isOpen || connection.active > 0) return true;
    return this.#context.clock.tick - connection.idleSince <= this.#freshTicks;
  }
}
