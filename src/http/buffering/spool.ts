import { close, open, read, unlink, write } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BodySink, BodySource, HeaderList } from '../message.ts';

export interface SpoolLimits {
  /** So much waits in memory; what follows waits in a file. */
  readonly memoryBytesMax: number;
  /** A longer file makes the source wait. */
  readonly fileBytesMax: number;
}

const READ_BYTES = 65536;
let files = 0;

/**
 * Content between a source and a sink that go at different speeds: first in memory, then in a file that has no name. It takes from the source what comes, as far as
 * the limits allow, and gives it in order.
 */
export class Spool implements BodySource, BodySink {
  readonly #source: BodySource;
  readonly #limits: SpoolLimits;
  readonly #onTaken: (error: Error | null) => void;
  #blocks: Uint8Array[] = [];
  #memoryBytes = 0;
  /** Blocks on their way to the file. */
  #toFile: Uint8Array[] = [];
  #file: number | 'opening' | null = null;
  #writing = false;
  #reading = false;
  #readAt = 0;
  #writtenTo = 0;
  #waitingBytes = 0;
  #taken: 'partly' | 'whole' | Error = 'partly';
  #sourcePaused = false;
  #sink: BodySink | null = null;
  #state: 'new' | 'flowing' | 'paused' | 'over' = 'new';
  /** All bytes that came. */
  length = 0;

  /** `onTaken` is told when the source has given all, or failed. */
  constructor(source: BodySource, limits: SpoolLimits, onTaken: (error: Error | null) => void = () => {}) {
    this.#source = source;
    this.#limits = limits;
    this.#onTaken = onTaken;
  }

  /** Begins to take from the source. */
  begin(): void {
    this.#source.start(this);
  }

  // BodySink

  write(block: Uint8Array): void {
    if (this.#state === 'over') return;
    this.length += block.length;
    const inFile = this.#file !== null && (this.#waitingBytes > 0 || this.#readAt < this.#writtenTo);
    if (!inFile && this.#memoryBytes + block.length <= this.#limits.memoryBytesMax) {
      this.#blocks.push(Buffer.from(block));
      this.#memoryBytes += block.length;
      this.#give();
      return;
    }
    this.#toFile.push(Buffer.from(block));
    this.#waitingBytes += block.length;
    this.#writeOn();
    this.#holdSource();
  }

  end(): void {
    if (this.#taken !== 'partly') return;
    this.#taken = 'whole';
    this.#onTaken(null);
    this.#give();
  }

  fail(error: Error): void {
    if (this.#taken !== 'partly') return;
    this.#taken = error;
    this.#onTaken(error);
    this.#give();
  }

  // BodySource

  get trailers(): HeaderList {
    return this.#source.trailers ?? [];
  }

  start(sink: BodySink): void {
    if (this.#state !== 'new') return;
    this.#sink = sink;
    this.#state = 'flowing';
    this.#give();
  }

  pause(): void {
    if (this.#state === 'flowing') this.#state = 'paused';
  }

  resume(): void {
    if (this.#state !== 'paused') return;
    this.#state = 'flowing';
    this.#give();
  }

  cancel(): void {
    if (this.#state === 'over') return;
    if (this.#taken === 'partly') this.#source.cancel();
    this.#release();
  }

  /** Gives what there is, as long as the sink takes it. */
  #give(): void {
    while (this.#state === 'flowing') {
      const block = this.#blocks.shift();
      if (block !== undefined) {
        this.#memoryBytes -= block.length;
        this.#sink?.write(block);
        continue;
      }
      if (this.#readAt < this.#writtenTo) {
        this.#readOn();
        return;
      }
      if (this.#waitingBytes > 0 || this.#reading || this.#taken === 'partly') break;
      const sink = this.#sink;
      const outcome = this.#taken;
      this.#release();
      if (outcome === 'whole') sink?.end();
      else sink?.fail(outcome);
      return;
    }
    this.#holdSource();
  }

  /** The source waits while the file is full: until all that is in it was read, and it begins anew. */
  #holdSource(): void {
    if (this.#readAt === this.#writtenTo && this.#waitingBytes === 0 && !this.#writing) {
      this.#readAt = 0;
      this.#writtenTo = 0;
    }
    const full = this.#writtenTo + this.#waitingBytes > this.#limits.fileBytesMax;
    if (full === this.#sourcePaused || this.#taken !== 'partly' || this.#state === 'over') return;
    this.#sourcePaused = full;
    if (full) this.#source.pause();
    else this.#source.resume();
  }

  #writeOn(): void {
    if (this.#writing || this.#file === 'opening' || this.#toFile.length === 0) return;
    if (this.#file === null) {
      this.#openFile();
      return;
    }
    const block = Buffer.concat(this.#toFile.splice(0));
    this.#writing = true;
    this.#writeAll(this.#file, block, 0);
  }

  #writeAll(file: number, block: Buffer, from: number): void {
    write(file, block, from, block.length - from, this.#writtenTo, (error, count) => {
      if (this.#state === 'over') {
        this.#writing = false;
        this.#closeFile();
        return;
      }
      if (error !== null) {
        this.#writing = false;
        this.#break(error);
        return;
      }
      this.#writtenTo += count;
      this.#waitingBytes -= count;
      if (from + count < block.length) this.#writeAll(file, block, from + count);
      else {
        this.#writing = false;
        this.#writeOn();
      }
      this.#give();
    });
  }

  /** The file loses its name at once, so that nothing is left of it whatever happens. */
  #openFile(): void {
    this.#file = 'opening';
    files += 1;
    const path = join(tmpdir(), `viaduct-spool-${process.pid}-${files}`);
    open(path, 'wx+', 0o600, (error, file) => {
      if (error === null) unlink(path, () => {});
      if (this.#state === 'over') {
        if (error === null) close(file, () => {});
        return;
      }
      if (error !== null) {
        this.#break(error);
        return;
      }
      this.#file = file;
      this.#writeOn();
    });
  }

  #readOn(): void {
    if (this.#reading || typeof this.#file !== 'number') return;
    const file = this.#file;
    this.#reading = true;
    const memory = Buffer.allocUnsafeSlow(Math.min(READ_BYTES, this.#writtenTo - this.#readAt));
    read(file, memory, 0, memory.length, this.#readAt, (error, count) => {
      this.#reading = false;
      if (this.#state === 'over') {
        this.#closeFile();
        return;
      }
      if (error !== null || count === 0) {
        this.#break(error ?? new Error('the spool file is shorter than it was'));
        return;
      }
      this.#readAt += count;
      this.#blocks.unshift(memory.subarray(0, count));
      this.#memoryBytes += count;
      this.#give();
    });
  }

  /** The disk failed: nothing more can be trusted. */
  #break(error: Error): void {
    const sink = this.#sink;
    if (this.#taken === 'partly') {
      this.#source.cancel();
      this.#onTaken(error);
    }
    this.#release();
    sink?.fail(error);
  }

  #release(): void {
    this.#state = 'over';
    this.#sink = null;
    this.#blocks = [];
    this.#toFile = [];
    this.#closeFile();
  }

  #closeFile(): void {
    if (typeof this.#file !== 'number' || this.#writing || this.#reading) return;
    close(this.#file, () => {});
    this.#file = null;
  }
}
