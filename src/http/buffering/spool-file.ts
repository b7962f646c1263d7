import { randomUUID } from 'node:crypto';
import { close, constants, open, read, unlink, write } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { spooled } from './spool-counts.ts';

const READ_BYTES = 65536;
/** The directory is everybody's: nobody else must know the name before, or have put a file or a link there. */
const CREATE = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

/** Receives the events of a spool file. */
export interface SpoolFileOwner {
  /** Some of the appended content is in the file now. */
  onStored(): void;
  /** The next content from the file, after `read`. */
  onRead(block: Buffer): void;
  /** The file cannot be created or written, for example because the disk is full. Content that was stored before remains readable. */
  onStoreFailed(error: Error): void;
  /** Stored content cannot be read any more. */
  onReadFailed(error: Error): void;
}

/** A temporary file that content is appended to and read from, in order. It has no name on the disk, so nothing remains of it. */
export class SpoolFile {
  readonly #owner: SpoolFileOwner;
  #fd: number | null = null;
  #state: 'opening' | 'open' | 'failed' | 'closed' = 'opening';
  /** Blocks that wait to be written. */
  #unwritten: Uint8Array[] = [];
  #unwrittenBytes = 0;
  #writing = false;
  #reading = false;
  #readAt = 0;
  #writtenTo = 0;

  constructor(owner: SpoolFileOwner) {
    this.#owner = owner;
    this.#open();
  }

  /** Appends `block`, which must not change any more. */
  append(block: Uint8Array): void {
    this.#unwritten.push(block);
    this.#unwrittenBytes += block.length;
    this.#writeOn();
  }

  /** Bytes that wait to be written. They are in memory. */
  get unwrittenBytes(): number {
    return this.#unwrittenBytes;
  }

  /** Whether `read` has something to read. */
  get isReadable(): boolean {
    return this.#readAt < this.#writtenTo;
  }

  /** Whether all content that was appended has been read. */
  get isEmpty(): boolean {
    return !this.isReadable && this.#unwrittenBytes === 0 && !this.#reading;
  }

  /** Bytes of the file on the disk, with those that wait to be written. When everything was read, the file is empty again. */
  get length(): number {
    if (this.isEmpty && !this.#writing) {
      this.#readAt = 0;
      this.#writtenTo = 0;
    }
    return this.#writtenTo + this.#unwrittenBytes;
  }

  /** Reads the next block, unless a read is already in progress. */
  read(): void {
    const fd = this.#fd;
    if (this.#reading || fd === null || this.#state === 'closed') return;
    this.#reading = true;
    const memory = Buffer.allocUnsafeSlow(Math.min(READ_BYTES, this.#writtenTo - this.#readAt));
    read(fd, memory, 0, memory.length, this.#readAt, (error, count) => {
      this.#reading = false;
      if (this.#state === 'closed') this.#closeWhenUnused();
      else if (error !== null || count === 0) {
        this.#owner.onReadFailed(error ?? new Error('the spool file is shorter than it was'));
      } else {
        this.#readAt += count;
        this.#owner.onRead(memory.subarray(0, count));
      }
    });
  }

  /** After `onStoreFailed`: the blocks that are not in the file. */
  takeUnwritten(): Uint8Array[] {
    this.#unwrittenBytes = 0;
    return this.#unwritten.splice(0);
  }

  close(): void {
    this.#state = 'closed';
    this.#unwritten = [];
    this.#unwrittenBytes = 0;
    this.#closeWhenUnused();
  }

  #open(): void {
    const path = join(tmpdir(), `viaduct-spool-${randomUUID()}`);
    open(path, CREATE, 0o600, (error, fd) => {
      if (error === null) {
        spooled.files += 1;
        this.#fd = fd;
        unlink(path, () => {});
      }
      if (this.#state === 'closed') this.#closeWhenUnused();
      else if (error !== null) this.#fail(error);
      else {
        this.#state = 'open';
        this.#writeOn();
      }
    });
  }

  #writeOn(): void {
    if (this.#writing || this.#state !== 'open' || this.#fd === null || this.#unwritten.length === 0) return;
    this.#writing = true;
    const first = this.#unwritten[0] as Uint8Array;
    const block = this.#unwritten.length === 1 ? first : Buffer.concat(this.#unwritten);
    this.#unwritten = [block];
    write(this.#fd, block, 0, block.length, this.#writtenTo, (error, count) => {
      this.#writing = false;
      if (this.#state === 'closed') this.#closeWhenUnused();
      else if (error !== null) this.#fail(error);
      else this.#onWritten(block, count);
    });
  }

  #onWritten(block: Uint8Array, count: number): void {
    spooled.bytes += count;
    this.#writtenTo += count;
    this.#unwrittenBytes -= count;
    if (count < block.length) this.#unwritten[0] = block.subarray(count);
    else this.#unwritten.shift();
    this.#writeOn();
    this.#owner.onStored();
  }

  #fail(error: Error): void {
    this.#state = 'failed';
    this.#owner.onStoreFailed(error);
  }

  #closeWhenUnused(): void {
    if (this.#fd === null || this.#writing || this.#reading) return;
    close(this.#fd, () => {});
    this.#fd = null;
  }
}
