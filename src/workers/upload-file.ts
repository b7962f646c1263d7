import { close, open, unlink, write } from 'node:fs';
import { BlockPool } from '../http/buffering/block-pool.ts';
import { spooled } from '../http/buffering/spool-counts.ts';

/** Memory for uploads on their way to files: 16 MiB in large blocks. */
const UploadBlocks = new BlockPool({ largeBytes: 512 * 1024, smallBytes: 16 * 1024, largeMax: 32, spareMax: 16 });

/** Receives the events of an upload's file. */
export interface UploadFileOwner {
  /** The file has room again, after `append` had returned false. */
  onRoom(): void;
  /** All content is in the file, after `end`. */
  onStored(): void;
  /** The file cannot be created or written. It is removed. */
  onFailed(error: Error): void;
}

/** A new private file that content is appended to. The content is gathered in blocks: each write costs a change of threads. */
export class UploadFile {
  readonly path: string;
  readonly #owner: UploadFileOwner;
  #fd: number | null = null;
  /** Whether the file is there, and ours. */
  #exists = false;
  #state: 'receiving' | 'ending' | 'stored' | 'removed' = 'receiving';
  /** The last block, which is not full yet, and the bytes that it has. */
  #filling: Buffer | null = null;
  #filled = 0;
  /** Full parts of blocks before that, the first of which is being written while `#writing`. */
  #full: { readonly block: Buffer; readonly bytes: number }[] = [];
  #writing = false;
  /** Bytes of the first part that are in the file, and bytes in the file altogether. */
  #writtenOfFirst = 0;
  #written = 0;
  #owesRoom = false;

  /** Creates the file at `path`, where nothing may be. */
  constructor(path: string, owner: UploadFileOwner) {
    this.path = path;
    this.#owner = owner;
    open(path, 'wx', 0o600, (error, fd) => {
      if (error !== null) {
        this.#fail(error);
        return;
      }
      this.#fd = fd;
      spooled.files += 1;
      this.#exists = true;
      if (this.#state === 'removed') this.#close();
      else this.#writeOn();
    });
  }

  /** Appends a copy of `bytes`. Returns false if more should wait for `onRoom`. `left` is what is expected to follow at most. */
  append(bytes: Uint8Array, left: number): boolean {
    let at = 0;
    while (at < bytes.length) {
      const block = this.#filling ?? UploadBlocks.take(bytes.length - at + left);
      const part = bytes.subarray(at, at + block.length - this.#filled);
      block.set(part, this.#filled);
      at += part.length;
      this.#filling = block;
      this.#filled += part.length;
      if (this.#filled === block.length) this.#cut();
    }
    this.#writeOn();
    this.#owesRoom = this.#full.length > 1;
    return !this.#owesRoom;
  }

  /** Writes what is left and calls `onStored`. */
  end(): void {
    this.#state = 'ending';
    this.#cut();
    this.#writeOn();
  }

  /** Gives up the file and removes it. */
  remove(): void {
    if (this.#state === 'removed') return;
    this.#state = 'removed';
    this.#close();
  }

  #cut(): void {
    if (this.#filling !== null) this.#full.push({ block: this.#filling, bytes: this.#filled });
    this.#filling = null;
    this.#filled = 0;
  }

  #writeOn(): void {
    const fd = this.#fd;
    if (fd === null || this.#writing || this.#state === 'removed') return;
    const first = this.#full[0];
    if (first === undefined) {
      if (this.#state === 'ending') this.#store(fd);
      return;
    }
    this.#writing = true;
    const { block, bytes } = first;
    const from = this.#writtenOfFirst;
    write(fd, block, from, bytes - from, this.#written, (error, count) => this.#onWritten(error, count));
  }

  #onWritten(error: Error | null, count: number): void {
    this.#writing = false;
    if (this.#state === 'removed') this.#close();
    else if (error !== null) this.#fail(error);
    else {
      spooled.bytes += count;
      this.#written += count;
      this.#writtenOfFirst += count;
      if (this.#writtenOfFirst === this.#full[0]?.bytes) {
        this.#writtenOfFirst = 0;
        UploadBlocks.giveBack((this.#full.shift() as { block: Buffer }).block);
      }
      this.#writeOn();
      if (!this.#owesRoom || this.#full.length > 1) return;
      this.#owesRoom = false;
      this.#owner.onRoom();
    }
  }

  #store(fd: number): void {
    this.#fd = null;
    close(fd, (error) => {
      if (this.#state === 'removed') return;
      if (error != null) this.#fail(error);
      else {
        this.#state = 'stored';
        this.#owner.onStored();
      }
    });
  }

  #fail(error: Error): void {
    if (this.#state === 'removed') return;
    this.remove();
    this.#owner.onFailed(error);
  }

  /** Removes the file and frees all memory, once nothing is being written. */
  #close(): void {
    if (this.#writing) return;
    for (const { block } of this.#full) UploadBlocks.giveBack(block);
    if (this.#filling !== null) UploadBlocks.giveBack(this.#filling);
    this.#full = [];
    this.#filling = null;
    if (this.#exists) unlink(this.path, nothing);
    this.#exists = false;
    if (this.#fd !== null) close(this.#fd, nothing);
    this.#fd = null;
  }
}

function nothing(): void {}
