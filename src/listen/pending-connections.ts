import type { Socket } from 'node:net';
import type { ConnectionHandler } from '../http/transport/protocol-server.ts';
import type { ProtocolHandlers, ProtocolName } from './connection-acceptor.ts';

/** Holds accepted connections back until the server is ready for them. */
export class PendingConnections {
  readonly handlers: ProtocolHandlers;
  readonly #waiting = new Map<Socket, () => void>();
  #isOpen = false;

  constructor(handlers: ProtocolHandlers) {
    const holding = [...handlers].map(([protocol, handler]): [ProtocolName, ConnectionHandler] => [
      protocol,
      { accept: (socket, index, peer) => this.#pass(socket, () => handler.accept(socket, index, peer)) },
    ]);
    this.handlers = new Map(holding);
  }

  /** Hands over the connections that wait, and from now on each new one at once. */
  open(): void {
    this.#isOpen = true;
    for (const pass of this.#waiting.values()) pass();
    this.#waiting.clear();
  }

  /** Closes the connections that wait. */
  destroy(): void {
    for (const socket of this.#waiting.keys()) socket.destroy();
    this.#waiting.clear();
  }

  #pass(socket: Socket, pass: () => void): void {
    if (this.#isOpen) pass();
    else this.#waiting.set(socket, pass);
  }
}
