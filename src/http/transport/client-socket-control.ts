import type { Socket } from 'node:net';
import { extendDeadline, NEVER } from './rate-deadline.ts';
import { breakOff } from './reset-socket.ts';
import type { ServerContext } from './server-context.ts';
import { type ClientSocket, detachSocket, type Receiver } from './socket-reader.ts';

/** A connection's control over its socket: whether to read, whether to write more, and the deadline for the client's next step. */
export class ClientSocketControl {
  readonly socket: ClientSocket<Receiver>;
  #blocked = false;
  /** Bytes that the kernel had not taken at the last tick. */
  #waiting = 0;
  readonly #context: ServerContext;
  #deadline = NEVER;
  #receiving = true;
  /** The ticks that a client had left when it had taken everything that waited for it. */
  #writeTicksLeft: number;
  /** Bytes of awaited content since the last tick. */
  #received = 0;

  constructor(socket: ClientSocket<Receiver>, context: ServerContext) {
    this.socket = socket;
    this.#context = context;
    this.#writeTicksLeft = context.writeTicks;
  }

  /** The client's next step must happen within `ticks`. */
  await(ticks: number): void {
    this.#deadline = this.#context.tick + ticks;
    this.#received = 0;
  }

  awaitNothing(): void {
    this.#deadline = NEVER;
    this.#received = 0;
  }

  /** `bytes` of the awaited content arrived: at the next tick the client gets more time for the remaining content. */
  received(bytes: number): void {
    this.#received += bytes;
  }

  /** Called once a tick: returns whether the client's deadline has passed. A client that sent or took some bytes gets more time. */
  sweep(): boolean {
    const context = this.#context;
    if (this.#blocked) {
      const waiting = unwritten(this.socket);
      this.#extend(this.#waiting - waiting, context.writeTicks, context.writeBytesPerTick);
      this.#waiting = waiting;
    } else if (this.#received > 0) {
      this.#extend(this.#received, context.bodyTicks, context.bodyBytesPerTick);
      this.#received = 0;
    }
    return context.tick >= this.#deadline;
  }

  /** Extends the deadline for `bytes`, to at most `ticks` from now. */
  #extend(bytes: number, ticks: number, bytesPerTick: number): void {
    this.#deadline = extendDeadline(this.#deadline, bytes, this.#context.tick, ticks, bytesPerTick);
  }

  /** Whether the socket holds as much as it should: write no more before it drains. */
  get blocked(): boolean {
    return this.#blocked;
  }

  /** The last `bytes` have filled the socket: the client must take some of its content within the write timeout. */
  block(bytes: number): void {
    if (this.#blocked) {
      this.#waiting += bytes;
      return;
    }
    this.#blocked = true;
    this.#waiting = bytes;
    this.await(this.#writeTicksLeft);
  }

  /** The client has taken everything. */
  unblock(): void {
    const context = this.#context;
    this.#blocked = false;
    this.#extend(this.#waiting, context.writeTicks, context.writeBytesPerTick);
    this.#writeTicksLeft = this.#deadline - context.tick;
  }

  /** Starts or stops reading what the client sends. While this stops, TCP makes the client wait. */
  setReceiving(receiving: boolean): void {
    if (this.#receiving === receiving) return;
    this.#receiving = receiving;
    if (receiving) this.socket.resume();
    else this.socket.pause();
  }

  /** Writes a last or interim message. */
  write(text: string): void {
    if (!this.socket.write(text, 'latin1')) this.block(text.length);
  }

  /** Sends FIN after everything that was written and continues to read, so that the client receives all of it (RFC 9112 section 9.6). */
  end(): void {
    if (!this.#blocked) this.await(this.#context.lingerTicks);
    this.setReceiving(true);
    this.socket.end();
  }

  /** Ends the connection so that the client sees an incomplete response. */
  cut(): void {
    while (this.socket.writableCorked > 0) this.socket.uncork();
    breakOff(this.socket);
  }

  /** Leaves the socket to another owner. */
  detach(): void {
    detachSocket(this.socket);
  }
}

/** Bytes that wait for the client: those in the stream, and those of the current write that the kernel has not taken. */
export function unwritten(socket: Socket): number {
  const { _handle: handle } = socket as unknown as { readonly _handle?: { readonly writeQueueSize?: number } | null };
  return handle?.writeQueueSize ?? socket.writableLength;
}
