import { createWriteStream, type WriteStream } from 'node:fs';
import { unlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { BodySink, RequestBody } from '../http/message.ts';

/** A request's body, received in full: in memory, or in a spool file at `path`. */
export interface ReceivedBody {
  readonly length: number;
  readonly blocks: readonly Uint8Array[];
  readonly path: string | null;
  /** Removes the spool file. */
  release(): void;
}

export interface SpoolOptions {
  /** Larger bodies go to a file. */
  readonly bodyMemoryBytesMax: number;
  /** Directory for spool files, private to this process. */
  readonly directory: string;
}

/**
 * Receives `body`, so that a slow upload never holds a worker. Calls one of the two functions once: `onFailed` when the client
 * left, was too slow or sent too much (the connection answers that itself), or with the error of a full disk.
 */
export function receiveBody(
  body: RequestBody,
  options: SpoolOptions,
  onReceived: (received: ReceivedBody) => void,
  onFailed: (error: Error, ours: boolean) => void,
): void {
  body.start(new Receiver(body, options, onReceived, onFailed));
}

let spoolFiles = 0;

class Receiver implements BodySink {
  readonly #body: RequestBody;
  readonly #options: SpoolOptions;
  readonly #onReceived: (received: ReceivedBody) => void;
  readonly #onFailed: (error: Error, ours: boolean) => void;
  #blocks: Uint8Array[] = [];
  #length = 0;
  #file: WriteStream | null = null;
  #done = false;

  constructor(
    body: RequestBody,
    options: SpoolOptions,
    onReceived: (received: ReceivedBody) => void,
    onFailed: (error: Error, ours: boolean) => void,
  ) {
    this.#body = body;
    this.#options = options;
    this.#onReceived = onReceived;
    this.#onFailed = onFailed;
  }

  write(block: Uint8Array): void {
    if (this.#done) return;
    this.#length += block.length;
    const copy = Buffer.from(block);
    if (this.#file === null && Math.max(this.#length, this.#body.length) <= this.#options.bodyMemoryBytesMax) {
      this.#blocks.push(copy);
      return;
    }
    const file = this.#file ?? this.#spool();
    if (!file.write(copy)) this.#body.pause();
  }

  end(): void {
    if (this.#done) return;
    const file = this.#file;
    if (file === null) {
      this.#done = true;
      this.#onReceived({ length: this.#length, blocks: this.#blocks, path: null, release: nothing });
      return;
    }
    const path = file.path as string;
    file.end(() => {
      if (this.#done) return;
      this.#done = true;
      this.#onReceived({ length: this.#length, blocks: [], path, release: () => void unlink(path).catch(nothing) });
    });
  }

  fail(error: Error): void {
    this.#fail(error, false);
  }

  #fail(error: Error, ours: boolean): void {
    if (this.#done) return;
    this.#done = true;
    this.#blocks = [];
    const file = this.#file;
    if (file !== null) {
      file.once('close', () => void unlink(file.path as string).catch(nothing)); // it may only now be made
      file.destroy();
    }
    this.#onFailed(error, ours);
  }

  #spool(): WriteStream {
    spoolFiles += 1;
    const path = join(this.#options.directory, `body-${spoolFiles}`);
    const file = createWriteStream(path, { flags: 'wx', mode: 0o600 });
    file.on('drain', () => this.#body.resume());
    file.on('error', (error) => {
      this.#body.cancel();
      this.#fail(error, true);
    });
    for (const block of this.#blocks) file.write(block);
    this.#blocks = [];
    this.#file = file;
    return file;
  }
}

function nothing(): void {}
