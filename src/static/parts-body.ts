import { read } from 'node:fs';
import type { BodySink, BodySource, FileBody } from '../http/message.ts';

export type Part = Buffer | FileBody;

const BLOCK_BYTES = 65_536;

/** A body of consecutive buffers and file parts. Files are read block by block, as the client accepts them. */
export class PartsBody implements BodySource {
  readonly #parts: readonly Part[];
  #next = 0;
  #position = 0;
  #sink: BodySink | null = null;
  #state: 'flowing' | 'paused' | 'over' = 'flowing';
  #reading = false;

  constructor(parts: readonly Part[]) {
    this.#parts = parts;
  }

  start(sink: BodySink): void {
    this.#sink = sink;
    this.#flow();
  }

  pause(): void {
    if (this.#state === 'flowing') this.#state = 'paused';
  }

  resume(): void {
    if (this.#state !== 'paused') return;
    this.#state = 'flowing';
    if (!this.#reading) this.#flow();
  }

  cancel(): void {
    if (this.#state === 'over') return;
    this.#state = 'over';
    if (!this.#reading) this.#release();
  }

  #flow(): void {
    while (this.#state === 'flowing') {
      const part = this.#parts[this.#next];
      if (part === undefined) {
        this.#end(null);
        return;
      }
      if (!(part instanceof Uint8Array)) {
        this.#read(part);
        return;
      }
      this.#next += 1;
      this.#sink?.write(part);
    }
  }

  #read(file: FileBody): void {
    const from = file.start + this.#position;
    const block = Buffer.allocUnsafe(Math.min(BLOCK_BYTES, file.end - from));
    this.#reading = true;
    read(file.fd, block, 0, block.length, from, (error, length) => {
      this.#reading = false;
      if (this.#state === 'over') this.#release();
      else if (error !== null || length === 0)
        this.#end(error ?? new Error('Cannot send a file: it was truncated meanwhile'));
      else {
        this.#position += length;
        if (from + length === file.end) {
          this.#next += 1;
          this.#position = 0;
          file.release();
        }
        this.#sink?.write(block.subarray(0, length));
        this.#flow();
      }
    });
  }

  #end(error: Error | null): void {
    this.#state = 'over';
    this.#release();
    if (error === null) this.#sink?.end();
    else this.#sink?.fail(error);
  }

  /** Releases the files that were not sent. */
  #release(): void {
    for (const part of this.#parts.slice(this.#next)) if (!(part instanceof Uint8Array)) part.release();
    this.#next = this.#parts.length;
  }
}
