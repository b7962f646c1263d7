import type { Socket } from 'node:net';
import type { Peer } from '../http/message.ts';
import type { ProtocolServer } from '../http/transport/protocol-server.ts';
import type { ConnectionChanges } from '../http/transport/server-context.ts';

/**
 * A protocol whose code is loaded while the applications start, so that they start earlier. Connections that arrive before wait, and nobody
 * reads their sockets meanwhile.
 */
export class DeferredProtocol<Server extends ProtocolServer> implements ProtocolServer {
  readonly #make: () => Promise<Server>;
  readonly #waiting = new Map<Socket, (server: Server) => void>();
  #server: Server | null = null;

  constructor(make: () => Promise<Server>) {
    this.#make = make;
  }

  /** Loads the code, and serves the connections that wait. To be awaited before the server counts as started. */
  async load(): Promise<void> {
    const server = await this.#make();
    this.#server = server;
    for (const [socket, serve] of this.#waiting) if (!socket.destroyed) serve(server);
    this.#waiting.clear();
  }

  accept(socket: Socket, listener: number, peer: Peer | null): void {
    this.pass(socket, (server) => server.accept(socket, listener, peer));
  }

  /** Calls `serve` with the server of the protocol as soon as there is one, unless `socket` is closed before. */
  pass(socket: Socket, serve: (server: Server) => void): void {
    if (this.#server !== null) serve(this.#server);
    else this.#waiting.set(socket, serve);
  }

  get size(): number {
    return this.#server?.size ?? 0;
  }

  reconfigure(changes: ConnectionChanges): void {
    this.#server?.reconfigure(changes);
  }

  drain(): Promise<void> {
    this.#closeWaiting();
    return this.#server?.drain() ?? Promise.resolve();
  }

  destroy(): void {
    this.#closeWaiting();
    this.#server?.destroy();
  }

  #closeWaiting(): void {
    for (const socket of this.#waiting.keys()) socket.destroy();
    this.#waiting.clear();
  }
}
