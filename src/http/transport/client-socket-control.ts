import type { Socket } from 'node:net';
import { NEVER, putOff } from './rate-deadline.ts';
import { resetSocket } from './reset-socket.ts';
import type { ServerContext } from './server-context.ts';
import { type ClientSocket, detachSocket, type Receiver } from './socket-reader.ts';

/** A connection's hold on its socket: whether it reads, whether it takes more, and by when something must have happened. */
export class ClientLink {
  readonly socket: ClientSocket<Receiver>;
  #blocked = false;
  /** Bytes that the kernel had not taken at the last tick. */
  #waiting = 0;
  readonly #context: ServerContext;
  #deadline = NEVER;
  #receiving = true;
  /** Ticks that a client still had when it had taken all that waited for it. */
  #writeTicksLeft: number;
  /** Bytes of awaited content since the last tick. */
  #received = 0;

  constructor(socket: ClientSocket<Receiver>, context: ServerContext) {
    this.socket = socket;
    this.#context = context;
    this.#writeTicksLeft = context.writeTicks;
  }

  /** What is waited for must happen within `ticks`. */
  await(ticks: number): void {
    this.#deadline = this.#context.tick + ticks;
    this.#received = 0;
  }

  awaitNothing(): void {
    this.#deadline = NEVER;
    this.#received = 0;
  }

  /** `bytes` of the content that is awaited came: the next tick gives the client more time for the rest. */
  received(bytes: number): void {
    this.#received += bytes;
  }

  /** Called once a tick: whether what is waited for has taken too long. A client that brings or takes some of it has more time. */
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

  /** Puts the deadline off for `bytes`, to `ticks` from now at most. */
  #extend(bytes: number, ticks: number, bytesPerTick: number): void {
    this.#deadline = putOff(this.#deadline, bytes, this.#context.tick, ticks, bytesPerTick);
  }

  /** The socket holds as much as it should: write no more before it drains. */
  get blocked(): boolean {
    return this.#blocked;
  }

  /** The socket holds as much as it should, `bytes` of it just written, and the client must take some of it within the write timeout. */
  block(bytes: number): void {
    if (this.#blocked) {
      this.#waiting += bytes;
      return;
    }
    this.#blocked = true;
    this.#waiting = bytes;
    this.await(this.#writeTicksLeft);
  }

  /** The client took all of it. */
  unblock(): void {
    const context = this.#context;
    this.#blocked = false;
    this.#extend(this.#waiting, context.writeTicks, context.writeBytesPerTick);
    this.#writeTicksLeft = this.#deadline - context.tick;
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
    if (!this.socket.write(text, 'latin1')) this.block(text.length);
  }

  /** Sends FIN behind what was written and reads on, so that the client gets all of it (RFC 9112 section 9.6). */
  end(): void {
    if (!this.#blocked) this.await(this.#context.lingerTicks);
    this.setReceiving(true);
    this.socket.end();
  }

  /** Ends the connection so that the client can see that its response is not whole: over TCP with a reset. */
  cut(): void {
    const overTcp = this.socket.remoteAddress !== undefined && !('encrypted' in this.socket);
    while (this.socket.writableCorked > 0) this.socket.uncork();
    if (overTcp) resetSocket(this.socket);
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
