import type { Socket } from 'node:net';
import { Input } from '../../http/http1/input.ts';
import type { Dialect, Unframing } from '../../upstream/exchange/dialect.ts';
import type { Backend } from '../backend.ts';
import type { ResponseHead } from '../http1/response-head.ts';
import { openSocket } from '../open-socket.ts';
import { type Clock, NEVER } from '../tick-clock.ts';

const MEMORY_BYTES = 65536;
/** A read of so much is worth memory of its own, which then needs no copy. */
const LARGE_BYTES = 32768;

/** One memory for what all plain connections receive, but for large content. */
const shared = Buffer.allocUnsafeSlow(MEMORY_BYTES);

const NOTHING = Buffer.alloc(0);

/** Who uses a connection: a request, or a tunnel. */
export interface ConnectionUser {
  connected(): void;
  /** Bytes are in the connection's `input`; what is left there after the call is kept. */
  received(): void;
  /** The backend sends no more. */
  ended(): void;
  /** There is room for more after `write` returned false. */
  drained(): void;
  /** The connection is over, by whichever side; `error` says why where something went wrong. */
  closed(error: Error | null): void;
  /** What was awaited did not happen in time. */
  late(): void;
  /** What has come is not what the backend's protocol allows. */
  garbled(reason: string): void;
}

/** One connection to a backend, with at most one request in it. While it has no user it is idle, and whatever comes ends it. */
export class BackendConnection {
  readonly socket: Socket;
  readonly input = new Input();
  readonly head: ResponseHead;
  readonly unframing: Unframing | null;
  user: ConnectionUser | null;
  /** Responses that it has brought. */
  served = 0;
  /** The tick at which it was last given back. */
  idleSince = 0;
  /** Memory that this connection alone receives into, while much comes. */
  #own: Buffer | null = null;
  #large = false;
  #deadline = NEVER;
  #reading = true;
  #closed = false;
  readonly #clock: Clock;
  readonly #onClosed: (connection: BackendConnection) => void;

  constructor(
    backend: Backend,
    clock: Clock,
    dialect: Dialect,
    user: ConnectionUser,
    onClosed: (connection: BackendConnection) => void,
  ) {
    this.#clock = clock;
    this.head = dialect.responseHead();
    this.unframing = dialect.unframing();
    this.user = user;
    this.#onClosed = onClosed;
    let failure: Error | null = null;
    this.socket = openSocket(
      backend,
      () => this.#memory(),
      (bytes, length) => this.#receive(bytes, length),
      () => this.user?.connected(),
    );
    this.socket.on('end', () => (this.user === null ? this.destroy() : this.#ended(backend.tls === undefined)));
    this.socket.on('drain', () => this.user?.drained());
    this.socket.on('error', (error) => {
      failure = error;
    });
    this.socket.on('close', () => this.#close(failure));
    clock.watch(this);
  }

  get closed(): boolean {
    return this.#closed || this.socket.destroyed;
  }

  /** What is awaited must happen within `ticks`. */
  await(ticks: number): void {
    this.#deadline = this.#clock.tick + ticks;
  }

  awaitNothing(): void {
    this.#deadline = NEVER;
  }

  /** Whether what the backend sends is read, or left to its machine's patience. */
  setReading(reading: boolean): void {
    if (this.#reading === reading) return;
    this.#reading = reading;
    if (reading) this.socket.resume();
    else this.socket.pause();
  }

  /** The bytes in the memory of `input` from `start` to `end`, in memory that may be kept; no later read touches it. */
  take(start: number, end: number): Buffer {
    const { bytes } = this.input;
    if (bytes === this.#own && end - start >= LARGE_BYTES) {
      this.#own = null;
      return bytes.subarray(start, end);
    }
    const copy = Buffer.allocUnsafe(end - start);
    bytes.copy(copy, 0, start, end);
    return copy;
  }

  destroy(): void {
    this.socket.destroy();
  }

  /** Ends it without a word to its user. */
  abandon(): void {
    this.user = null;
    this.destroy();
  }

  sweep(): void {
    if (this.#clock.tick < this.#deadline) return;
    this.#deadline = NEVER;
    if (this.user === null) this.destroy();
    else this.user.late();
  }

  /** Where the next read goes. */
  #memory(): Buffer {
    if (this.#large) this.#own ??= Buffer.allocUnsafeSlow(MEMORY_BYTES);
    else this.#own = null;
    return this.#own ?? shared;
  }

  #receive(bytes: Buffer, length: number): void {
    this.#large = length >= LARGE_BYTES;
    if (this.socket.destroyed) return;
    if (this.user === null) {
      this.destroy();
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
      this.user?.garbled(content);
      return;
    }
    if (content.length > 0) {
      this.input.lend(content, content.length);
      this.user?.received();
      this.input.keep();
    }
    if (unframing.over) this.user?.ended();
  }

  /**
   * Node takes a reset that comes together with bytes for a proper end, which would make a part of a response the whole. Writing nothing tells the two apart: after a reset
   * it fails, and the socket closes with that error.
   */
  #ended(plain: boolean): void {
    const { socket } = this;
    if (!plain || !socket.writable || socket.writableLength > 0) this.user?.ended();
    else socket.write(NOTHING, (error) => (error ? undefined : this.user?.ended()));
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
