import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Peer } from '../http/message.ts';
import type { Sinks } from '../listen/connection-acceptor.ts';

/** Holds connections back until what serves them is ready. */
export class Gate {
  readonly sinks: Sinks;
  readonly #waiting = new Map<Duplex, () => void>();
  #isOpen = false;

  constructor({ http1, http2, gateway }: Sinks) {
    this.sinks = {
      http1: { accept: (socket: Socket, index, peer) => this.#pass(socket, () => http1.accept(socket, index, peer)) },
      http2:
        http2 === null
          ? null
          : {
              accept: (socket: Duplex, index: number, peer: Peer | null) =>
                this.#pass(socket, () => http2.accept(socket, index, peer)),
            },
      gateway:
        gateway === null
          ? null
          : {
              accept: (socket, index, protocol) => this.#pass(socket, () => gateway.accept(socket, index, protocol)),
            },
    };
  }

  open(): void {
    this.#isOpen = true;
    for (const pass of this.#waiting.values()) pass();
    this.#waiting.clear();
  }

  /** Ends those that wait. */
  destroy(): void {
    for (const socket of this.#waiting.keys()) socket.destroy();
    this.#waiting.clear();
  }

  #pass(socket: Duplex, pass: () => void): void {
    if (this.#isOpen) pass();
    else this.#waiting.set(socket, pass);
  }
}
