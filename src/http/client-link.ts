import type { Socket } from 'node:net';
import type { ServerContext } from './server-context.ts';
import { type ClientSocket, detachSocket, type Receiver } from './socket-reader.ts';

/** Later than any tick. */
const NEVER = 0x3fffffff;

/** A connection's hold on its socket: whether it reads, whether it takes more, and by when something must have happened. */
export class ClientLink {
  readonly socket: ClientSocket<Receiver>;
  #blocked = false;
  /** Bytes that the kernel had not taken at the last tick. */
  #waiting = 0;
  readonly #context: ServerContext;
  #deadline = NEVER;
  #receiving = true;

  constructor(socket: ClientSocket<Receiver>, context: ServerContext) {
    this.socket = socket;
    this.#context = context;
  }

  /** What is waited for must happen within `ticks`. */
  await(ticks: number): void {
    this.#deadline = this.#context.tick + ticks;
  }

  awaitNothing(): void {
    this.#deadline = NEVER;
  }

  /** Called once a tick: whether what is waited for has taken too long. A client that takes some of what waits for it has more time. */
  sweep(): boolean {
    if (this.#blocked) {
      const waiting = unwritten(this.socket);
      if (waiting < this.#waiting) this.await(this.#context.writeTicks);
      this.#waiting = waiting;
    }
    return this.#context.tick >= this.#deadline;
  }

  /** The socket holds as much as it should: write no more before it drains. */
  get blocked(): boolean {
    return this.#blocked;
  }

  /** The socket holds as much as it should, and the client must take some of it within the write timeout. */
  block(): void {
    this.#blocked = true;
    this.#waiting = 0; // the next tick sees what the kernel did not take
    this.await(this.#context.writeTicks);
  }

  unblock(): void {
    this.#blocked = false;
  }

  /** Whether what the client sends is read, or left to its machine's patience. */
  setReceiving(receiving: boolean): void {
    if (this.#receiving === receiving) return;
    this.#receiving = receiving;
    if (receiving) this.socket.resume();
    else this.socket.pause();
  }

  /** Writes a last or interim message. */
  write(text: string): void {
    if (!this.socket.write(text, 'latin1')) this.block();
  }

  /** Sends FIN behind what was written and reads on, so that the client gets all of it (RFC 9112 section 9.6). */
  end(): void {
    if (!this.#blocked) this.await(this.#context.lingerTicks);
    this.setReceiving(true);
    this.socket.end();
  }

  /** Ends the connection so that the client can see that its response is not whole: over TCP with a reset. */
  cut(overTcp: boolean): void {
    while (this.socket.writableCorked > 0) this.socket.uncork();
    if (overTcp) this.socket.resetAndDestroy();
    else this.socket.destroy();
  }

  /** Leaves the socket to somebody else. */
  detach(): void {
    detachSocket(this.socket);
  }
}

/** Bytes that wait for the client: in the stream, and of the write that is under way what the kernel has not taken. */
export function unwritten(socket: Socket): number {
  const { _handle: handle } = socket as unknown as { readonly _handle?: { readonly writeQueueSize?: number } | null };
  return handle?.writeQueueSize ?? socket.writableLength;
}
