import type { ServerContext } from './server-context.ts';
import { type ClientSocket, detachSocket, type Receiver } from './socket-reader.ts';

/** Later than any tick. */
const NEVER = 0x3fffffff;

/** A connection's hold on its socket: whether it reads, whether it takes more, and by when something must have happened. */
export class ClientLink {
  readonly socket: ClientSocket<Receiver>;
  /** The socket holds as much as it should: write no more before it drains. */
  blocked = false;
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

  /** What is waited for has taken too long. */
  get late(): boolean {
    return this.#context.tick >= this.#deadline;
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
    if (!this.socket.write(text, 'latin1')) this.blocked = true;
  }

  /** Sends FIN behind what was written and reads on, so that the client gets all of it (RFC 9112 section 9.6). */
  end(): void {
    this.await(this.blocked ? this.#context.writeTicks : this.#context.lingerTicks);
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
