import type { BodySink, BodySource } from '../http/message.ts';

/** Bytes that may wait here before the source is asked to pause. */
const WAITING_BYTES_MAX = 65536;

/** Pulls blocks from a source that pushes them. */
export class SourceReader implements BodySink {
  readonly #source: BodySource;
  /** Whether blocks are copied. A block of a request is valid only during the call. */
  readonly #copies: boolean;
  #state: 'new' | 'flowing' | 'paused' | 'ended' | 'failed' | 'cancelled' = 'new';
  #error: Error | null = null;
  #waiting: Buffer[] = [];
  #waitingBytes = 0;
  #wanted: { resolve(block: Buffer | null): void; reject(error: Error): void } | null = null;

  constructor(source: BodySource, copies: boolean) {
    this.#source = source;
    this.#copies = copies;
  }

  /** Nothing was read yet. */
  get untouched(): boolean {
    return this.#state === 'new';
  }

  /** The next block; null at the end. One call at a time. Rejects with the source's error. */
  next(): Promise<Buffer | null> {
    return new Promise((resolve, reject) => {
      this.#wanted = { resolve, reject };
      if (this.#state === 'new') {
        this.#state = 'flowing';
        this.#source.start(this);
      }
      this.#answer();
      if (this.#wanted !== null && this.#state === 'paused') {
        this.#state = 'flowing';
        this.#source.resume();
      }
    });
  }

  /** Nothing more will be read. */
  cancel(): void {
    if (this.#state === 'ended' || this.#state === 'failed' || this.#state === 'cancelled') return;
    this.#state = 'cancelled';
    this.#waiting = [];
    this.#source.cancel();
    this.#answer();
  }

  write(block: Uint8Array): void {
    if (this.#state === 'cancelled' || block.length === 0) return;
    const whole = Buffer.from(block.buffer, block.byteOffset, block.length);
    this.#waiting.push(this.#copies ? Buffer.from(whole) : whole);
    this.#waitingBytes += block.length;
    this.#answer();
    if (this.#waitingBytes < WAITING_BYTES_MAX || this.#state !== 'flowing') return;
    this.#state = 'paused';
    this.#source.pause();
  }

  end(): void {
    this.#state = 'ended';
    this.#answer();
  }

  fail(error: Error): void {
    this.#state = 'failed';
    this.#error = error;
    this.#answer();
  }

  #answer(): void {
    const wanted = this.#wanted;
    if (wanted === null) return;
    const block = this.#waiting.shift();
    if (block !== undefined) this.#waitingBytes -= block.length;
    else if (this.#state === 'flowing' || this.#state === 'paused') return;
    this.#wanted = null;
    if (block !== undefined) wanted.resolve(block);
    else if (this.#error !== null) wanted.reject(this.#error);
    else wanted.resolve(null);
  }
}
