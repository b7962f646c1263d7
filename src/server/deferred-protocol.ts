import type { Socket } from 'node:net';
import type { Peer } from '../http/message.ts';
import type { OpenRequest, ProtocolServer } from '../http/transport/protocol-server.ts';
import type { ConnectionChanges } from '../http/transport/server-context.ts';

/**
 * A protocol whose code is loaded while the server starts. Connections that arrive before wait, and nobody reads their sockets meanwhile.
 */
export class DeferredProtocol<Server extends ProtocolServer> implements ProtocolServer {
  readonly #load: () => Promise<Server>;
  readonly #onFailed: (error: unknown) => void;
  readonly #waiting = new Map<Socket, (server: Server) => void>();
  #server: Server | null = null;
  #isLoading = false;
  #isClosed = false;
  /** What a reload changed before the code was there. */
  #changes: ConnectionChanges | null = null;

  /** `onFailed` is called when the code cannot be loaded. The connections that waited are then closed, and the next one tries again. */
  constructor(load: () => Promise<Server>, onFailed: (error: unknown) => void) {
    this.#load = load;
    this.#onFailed = onFailed;
  }

  /** Loads the code, before a later upgrade of the program can replace its files. */
  load(): Promise<void> {
    return this.#start();
  }

  accept(socket: Socket, listener: number, peer: Peer | null): void {
    this.pass(socket, (server) => server.accept(socket, listener, peer));
  }

  /** Calls `serve` with the server of the protocol as soon as there is one, unless `socket` is closed before. */
  pass(socket: Socket, serve: (server: Server) => void): void {
    if (this.#server !== null) serve(this.#server);
    else if (this.#isClosed) socket.destroy();
    else {
      socket.on('error', ignore); // nobody else listens meanwhile
      this.#waiting.set(socket, serve);
      void this.#start();
    }
  }

  get size(): number {
    return this.#server?.size ?? 0;
  }

  requests(): Iterable<OpenRequest> {
    return this.#server?.requests() ?? [];
  }

  reconfigure(changes: ConnectionChanges): void {
    if (this.#server === null) this.#changes = { ...this.#changes, ...changes };
    else this.#server.reconfigure(changes);
  }

  drain(): Promise<void> {
    this.#close();
    return this.#server?.drain() ?? Promise.resolve();
  }

  destroy(): void {
    this.#close();
    this.#server?.destroy();
  }

  async #start(): Promise<void> {
    if (this.#isLoading || this.#server !== null || this.#isClosed) return;
    this.#isLoading = true;
    try {
      const server = await this.#load();
      if (this.#isClosed) return;
      this.#server = server;
      if (this.#changes !== null) server.reconfigure(this.#changes);
      for (const [socket, serve] of this.#waiting) if (!socket.destroyed) serve(server);
      this.#waiting.clear();
    } catch (error) {
      this.#closeWaiting();
      this.#onFailed(error);
    } finally {
      this.#isLoading = false;
    }
  }

  #close(): void {
    this.#isClosed = true;
    this.#closeWaiting();
  }

  #closeWaiting(): void {
    for (const socket of this.#waiting.keys()) socket.destroy();
    this.#waiting.clear();
  }
}

/** The close event that follows an error is sufficient. */
function ignore(): void {}
