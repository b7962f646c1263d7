import { ByteQueue } from './byte-queue.ts';
import type { Actor, SimEvent } from './event-heap.ts';
import { must } from './failure.ts';
import type { Random } from './random.ts';
import type { Schedule } from './schedule.ts';

/** What both ends of a simulated Unix socket share. */
export interface SocketConditions {
  readonly schedule: Schedule;
  readonly random: Random;
  /** The server process, which reads and writes at one end. */
  readonly server: Actor;
  /** Bytes that the kernel holds in each direction. */
  readonly capacity: number;
  /** The time until a reader notices that something is there, in milliseconds. */
  readonly delay: () => number;
}

const READ_BYTES_MAX = 65536;

type Listener = (value: never) => void;

/**
 * The server's end: as much of `net.Socket` as `src/workers` uses. Received bytes come in arbitrary slices after
 * arbitrary times. As in Node, bytes that the kernel did not take stay in the caller's memory until it does.
 */
export class ServerSocket {
  destroyed = false;
  /** Whether the close event has occurred. */
  closed = false;
  bytesRead = 0;
  readonly peer: ProcessSocket;
  readonly received = new ByteQueue();
  readonly #conditions: SocketConditions;
  readonly #listeners = new Map<string, Listener[]>();
  readonly #unsent: { bytes: Uint8Array; readonly onWritten: (() => void) | undefined }[] = [];
  #unsentBytes = 0;
  #timeout: SimEvent | null = null;
  #corked = 0;
  #flowing: boolean | null = null;
  #reads = false;
  #ended = false;

  constructor(conditions: SocketConditions, onReady: () => void) {
    this.#conditions = conditions;
    this.peer = new ProcessSocket(this, conditions.capacity, onReady);
  }

  get writable(): boolean {
    return !this.destroyed && !this.#ended;
  }

  get writableLength(): number {
    return this.#unsentBytes;
  }

  /** Whether the process finds the end of the stream after what it has received. */
  get endsForPeer(): boolean {
    return this.destroyed || (this.#ended && this.#unsentBytes === 0);
  }

  on(event: string, listener: Listener): this {
    const listeners = this.#listeners.get(event) ?? [];
    this.#listeners.set(event, [...listeners, listener]);
    if (event === 'data' && this.#flowing === null) this.resume();
    return this;
  }

  once(event: string, listener: Listener): this {
    const once = (value: never): void => {
      this.off(event, once);
      listener(value);
    };
    return this.on(event, once);
  }

  off(event: string, listener: Listener): this {
    const listeners = this.#listeners.get(event) ?? [];
    this.#listeners.set(
      event,
      listeners.filter((each) => each !== listener),
    );
    return this;
  }

  pause(): this {
    this.#flowing = false;
    return this;
  }

  isPaused(): boolean {
    return this.#flowing === false;
  }

  resume(): this {
    this.#flowing = true;
    this.wake();
    return this;
  }

  unshift(block: Buffer): void {
    this.received.unshift(block);
    this.wake();
  }

  /** Calls `onTimeout` after `ms` without a new call; 0 ends the wait. The caller's waits end with the first message. */
  setTimeout(ms: number, onTimeout?: () => void): this {
    if (this.#timeout !== null) this.#timeout.run = null;
    const run = (): void => {
      if (!this.destroyed) onTimeout?.();
    };
    this.#timeout = ms === 0 ? null : this.#later('timeout', ms, run);
    return this;
  }

  cork(): void {
    this.#corked += 1;
  }

  uncork(): void {
    this.#corked -= 1;
    this.flush();
  }

  write(data: Uint8Array, onWritten?: () => void): boolean {
    must(!this.#ended, () => 'the server wrote to a socket after its end');
    if (this.destroyed) return false;
    if (this.peer.closed) {
      this.destroy(); // EPIPE: Node destroys the socket, with everything that was not read yet
      return false;
    }
    this.#unsent.push({ bytes: data, onWritten });
    this.#unsentBytes += data.length;
    this.flush();
    return this.#unsentBytes === 0;
  }

  /** Gives the kernel as much as it takes. */
  flush(): void {
    if (this.#corked > 0 || this.destroyed) return;
    let room = this.peer.room;
    for (;;) {
      const [block] = this.#unsent;
      if (block === undefined || (room === 0 && block.bytes.length > 0)) break;
      const part = block.bytes.subarray(0, room);
      this.peer.received.push(Buffer.from(part));
      room -= part.length;
      this.#unsentBytes -= part.length;
      block.bytes = block.bytes.subarray(part.length);
      if (block.bytes.length > 0) break;
      this.#unsent.shift();
      if (block.onWritten !== undefined) this.#later('written', 0, block.onWritten);
    }
    this.peer.onReady();
  }

  end(): this {
    this.#ended = true;
    this.peer.onReady();
    return this;
  }

  destroy(): this {
    if (this.destroyed) return this;
    this.destroyed = true;
    this.received.clear();
    this.peer.onReady();
    this.#later('close', 0, () => {
      this.closed = true;
      this.#emit('close', false);
    });
    return this;
  }

  /** Something has arrived, or the process has closed its end. */
  wake(): void {
    if (this.#reads || this.#flowing !== true || this.destroyed) return;
    if (this.received.length === 0 && !this.peer.closed) return;
    this.#reads = true;
    this.#later('read', this.#conditions.delay(), () => this.#read());
  }

  /** The process has closed its end. What it sent before can still be read, unless the server has to write. */
  onPeerClosed(): void {
    if (this.#unsentBytes > 0) this.#later('EPIPE', this.#conditions.delay(), () => this.destroy());
    this.wake();
  }

  #read(): void {
    this.#reads = false;
    if (this.#flowing !== true || this.destroyed) return;
    if (this.received.length > 0) {
      const block = this.received.take(this.#slice());
      this.bytesRead += block.length;
      this.#conditions.schedule.trace.add(this.#conditions.schedule.nowUs, 'bytes', 'server', block.length);
      this.peer.onReady();
      this.#emit('data', block);
    } else if (this.peer.closed) this.destroy();
    this.wake();
  }

  /** Mostly everything that is there; sometimes a part, down to a byte. */
  #slice(): number {
    const { random } = this.#conditions;
    const available = Math.min(this.received.length, READ_BYTES_MAX);
    if (random.chance(0.7)) return available;
    return random.chance(0.5) ? random.integer(1, available) : random.integer(1, Math.min(available, 40));
  }

  #later(kind: string, delayMs: number, run: () => void): SimEvent {
    const { schedule, server } = this.#conditions;
    return schedule.after(server, delayMs, kind, run);
  }

  #emit(event: string, value: unknown): void {
    for (const listener of this.#listeners.get(event) ?? []) listener(value as never);
  }
}

/** The end of a Python process: `send` and `recv` of a blocking socket, for threads that wait with `onReady`. */
export class ProcessSocket {
  closed = false;
  readonly received = new ByteQueue();
  /** There may be something to receive, or room to send. */
  onReady: () => void;
  readonly #server: ServerSocket;
  readonly #capacity: number;

  constructor(server: ServerSocket, capacity: number, onReady: () => void) {
    this.#server = server;
    this.#capacity = capacity;
    this.onReady = onReady;
  }

  /** Bytes that the kernel would take from the server now. */
  get room(): number {
    return this.closed ? 0 : this.#capacity - this.received.length;
  }

  /** Whether the server has closed its end. */
  get isLost(): boolean {
    return this.#server.destroyed;
  }

  /** Up to `max` bytes; none at the end of the stream; null when the call would wait. */
  receive(max: number): Buffer | null {
    if (this.received.length > 0) {
      const block = this.received.take(max);
      this.#server.flush();
      return block;
    }
    return this.#server.endsForPeer ? Buffer.alloc(0) : null;
  }

  /** Sends what the kernel takes and returns its length; 0 when the call would wait, -1 for EPIPE. */
  send(data: Buffer): number {
    if (this.#server.destroyed) return -1;
    const length = Math.min(data.length, this.#capacity - this.#server.received.length);
    if (length <= 0) return 0;
    this.#server.received.push(Buffer.from(data.subarray(0, length)));
    this.#server.wake();
    return length;
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.received.clear();
    this.#server.onPeerClosed();
  }
}
