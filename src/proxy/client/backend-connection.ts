import type { Socket } from 'node:net';
import { Input } from '../../http/http1/input.ts';
import type { Request } from '../../http/message.ts';
import { breakOff, confirmEnd } from '../../http/transport/reset-socket.ts';
import type { Backend } from '../backend.ts';
import type { ResponseHead } from '../http1/response-head.ts';
import { openSocket } from '../open-socket.ts';
import { NEVER, type TickClock } from '../tick-clock.ts';
import type { Transport, Unframing } from './transport.ts';

const BUFFER_BYTES = 65536;
/** A read of at least this size gets a buffer of its own, whose bytes can then be passed on without a copy. */
const LARGE_BYTES = 32768;

/** All plain connections read into this shared buffer, except while large content arrives. */
const sharedBuffer = Buffer.allocUnsafeSlow(BUFFER_BYTES);

/** The user of a connection: a request or a tunnel. */
export interface ConnectionUser {
  /** Null for a tunnel. */
  readonly request: Request | null;
  connected(): void;
  /** New bytes are in the connection's `input`. The connection keeps bytes that the user leaves there. */
  received(): void;
  /** The backend has ended its side. */
  ended(): void;
  /** The socket accepts more after `write` returned false. */
  drained(): void;
  /** The connection is closed. `error` is the failure, null for a normal close by either side. */
  closed(error: Error | null): void;
  /** The awaited event did not happen before the deadline. */
  timedOut(): void;
  /** The received bytes violate the backend's protocol. */
  malformed(reason: string): void;
}

/**
 * One connection to a backend, with at most one request in progress. Without a user the connection is idle, and any
 * received byte closes it.
 */
export class BackendConnection {
  readonly socket: Socket;
  readonly input = new Input();
  readonly head: ResponseHead;
  readonly unframing: Unframing | null;
  user: ConnectionUser | null;
  /** Number of completed responses. */
  served = 0;
  /** When the connection last became idle, as `performance.now()`. */
  idleSince = 0;
  /** Whether the backend closed the connection while it was idle, or sent what nobody asked for. */
  closedByBackend = false;
  /** A private read buffer, used while large content arrives. */
  #ownBuffer: Buffer | null = null;
  #large = false;
  #deadline = NEVER;
  #reading = true;
  #closed = false;
  readonly #clock: TickClock;
  readonly #onClosed: (connection: BackendConnection) => void;

  constructor(
    backend: Backend,
    clock: TickClock,
    transport: Transport,
    user: ConnectionUser,
    onClosed: (connection: BackendConnection) => void,
  ) {
    this.#clock = clock;
    this.head = transport.responseHead();
    this.unframing = transport.unframing();
    this.user = user;
    this.#onClosed = onClosed;
    let failure: Error | null = null;
    this.socket = openSocket(
      backend,
      () => this.#readBuffer(),
      (bytes, length) => this.#receive(bytes, length),
      () => this.user?.connected(),
    );
    this.socket.on('end', () =>
      this.user === null ? this.#closeIdle() : confirmEnd(this.socket, () => this.user?.ended()),
    );
    this.socket.on('drain', () => this.user?.drained());
    this.socket.on('error', (error) => {
      failure = error;
      this.closedByBackend ||= this.user === null;
    });
    this.socket.on('close', () => this.#close(failure));
    clock.watch(this);
  }

  get closed(): boolean {
    return this.#closed || this.socket.destroyed;
  }

  /** Sets the deadline to `ticks` from now. */
  setDeadline(ticks: number): void {
    this.#deadline = this.#clock.tick + ticks;
  }

  clearDeadline(): void {
    this.#deadline = NEVER;
  }

  /** Starts or stops reading. While reading is stopped, TCP flow control makes the backend wait. */
  setReading(reading: boolean): void {
    if (this.#reading === reading) return;
    this.#reading = reading;
    if (reading) this.socket.resume();
    else this.socket.pause();
  }

  /** Bytes `start` to `end` of the input buffer, in memory that no later read overwrites. */
  take(start: number, end: number): Buffer {
    const { bytes } = this.input;
    if (bytes === this.#ownBuffer && end - start >= LARGE_BYTES) {
      this.#ownBuffer = null;
      return bytes.subarray(start, end);
    }
    const copy = Buffer.allocUnsafe(end - start);
    bytes.copy(copy, 0, start, end);
    return copy;
  }

  destroy(): void {
    this.socket.destroy();
  }

  /** Ends the connection so that the backend sees that something is missing. */
  reset(): void {
    breakOff(this.socket);
  }

  /** Closes the connection without notifying its user. */
  abandon(): void {
    this.user = null;
    this.destroy();
  }

  sweep(): void {
    if (this.#clock.tick < this.#deadline) return;
    this.#deadline = NEVER;
    if (this.user === null) this.destroy();
    else this.user.timedOut();
  }

  /** The buffer for the next read. */
  #readBuffer(): Buffer {
    if (this.#large) this.#ownBuffer ??= Buffer.allocUnsafeSlow(BUFFER_BYTES);
    else this.#ownBuffer = null;
    return this.#ownBuffer ?? sharedBuffer;
  }

  #receive(bytes: Buffer, length: number): void {
    this.#large = length >= LARGE_BYTES;
    if (this.socket.destroyed) return;
    if (this.user === null) {
      this.#closeIdle();
      return;
    }
    if (this.unframing !== null) {
      this.#unframe(this.unframing, bytes.subarray(0, length));
      return;
    }
    this.input.lend(bytes, length);
    this.user.received();
    this.input.keep();
  }

  #unframe(unframing: Unframing, bytes: Buffer): void {
    const content = unframing.take(bytes);
    if (typeof content === 'string') {
      this.user?.malformed(content);
      return;
    }
    if (content.length > 0) {
      this.input.lend(content, content.length);
      this.user?.received();
      this.input.keep();
    }
    if (unframing.over) this.user?.ended();
  }

  #closeIdle(): void {
    this.closedByBackend = true;
    this.destroy();
  }

  #close(failure: Error | null): void {
    this.#closed = true;
    this.#clock.forget(this);
    const { user } = this;
    this.user = null;
    this.#onClosed(this);
    user?.closed(failure);
  }
}
