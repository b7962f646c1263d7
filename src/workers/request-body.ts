import { createWriteStream, type WriteStream } from 'node:fs';
import { unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { contentMemory, costOf } from '../http/buffering/content-memory.ts';
import type { BodySink, RequestBody } from '../http/message.ts';

/** A request's body, received completely: in memory, or in a spool file at `path`. */
export interface ReceivedBody {
  readonly length: number;
  readonly blocks: readonly Uint8Array[];
  readonly path: string | null;
  /** Frees the memory, or removes the spool file. Called once. */
  release(): void;
}

export interface SpoolOptions {
  /** Larger bodies are stored in a file, and so are others when `contentMemory` has no room. */
  readonly bodyMemoryBytesMax: number;
  /** Returns the directory for spool files, which exists and is private to this process. May throw. */
  readonly directory: () => string;
}

/**
 * Receives `body` completely, so that a slow upload never occupies a worker. Calls one of the two functions once.
 * `onFailed` receives `isServerError` true when the file could not be written. It is false when the client left, was
 * too slow or sent too much; then the connection answers the client itself.
 */
export function receiveBody(
  body: RequestBody,
  options: SpoolOptions,
  onReceived: (received: ReceivedBody) => void,
  onFailed: (error: Error, isServerError: boolean) => void,
): void {
  body.start(new Receiver(body, options, onReceived, onFailed));
}

let spoolFiles = 0;

class Receiver implements BodySink {
  readonly #body: RequestBody;
  readonly #options: SpoolOptions;
  readonly #onReceived: (received: ReceivedBody) => void;
  readonly #onFailed: (error: Error, isServerError: boolean) => void;
  #blocks: Uint8Array[] = [];
  #length = 0;
  /** What `contentMemory` counts for the blocks. */
  #held = 0;
  #file: WriteStream | null = null;
  #done = false;

  constructor(
    body: RequestBody,
    options: SpoolOptions,
    onReceived: (received: ReceivedBody) => void,
    onFailed: (error: Error, isServerError: boolean) => void,
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
    if (this.#fitsInMemory(copy)) {
      this.#blocks.push(copy);
      this.#held += costOf(copy);
      contentMemory.hold(costOf(copy));
      return;
    }
    const file = this.#file ?? this.#spool();
    if (file !== null && !file.write(copy)) this.#body.pause();
  }

  end(): void {
    if (this.#done) return;
    const file = this.#file;
    if (file === null) {
      this.#done = true;
      const release = () => this.#releaseMemory();
      this.#onReceived({ length: this.#length, blocks: this.#blocks, path: null, release });
      return;
    }
    const path = file.path as string;
    // Not the callback of end(): Node calls that one after an error too, and the file would be short.
    file.once('finish', () => {
      if (this.#done) return;
      this.#done = true;
      this.#onReceived({ length: this.#length, blocks: [], path, release: () => void unlink(path).catch(nothing) });
    });
    file.end();
  }

  fail(error: Error): void {
    this.#fail(error, false);
  }

  #fail(error: Error, isServerError: boolean): void {
    if (this.#done) return;
    this.#done = true;
    this.#releaseMemory();
    const file = this.#file;
    if (file !== null) {
      file.once('close', () => void unlink(file.path as string).catch(nothing)); // the file may be created only now
      file.destroy();
    }
    this.#onFailed(error, isServerError);
  }

  /** Opens the spool file. Returns null after a failure, which it has reported. */
  #spool(): WriteStream | null {
    spoolFiles += 1;
    let path: string;
    try {
      path = join(this.#options.directory(), `body-${spoolFiles}`);
    } catch (error) {
      this.#body.cancel();
      this.#fail(error as Error, true);
      return null;
    }
    const file = createWriteStream(path, { flags: 'wx', mode: 0o600 });
    file.on('drain', () => this.#body.resume());
    file.on('error', (error) => {
      this.#body.cancel();
      this.#fail(error, true);
    });
    for (const block of this.#blocks) file.write(block);
    this.#releaseMemory();
    this.#file = file;
    return file;
  }

  #fitsInMemory(block: Uint8Array): boolean {
    return (
      this.#file === null &&
      Math.max(this.#length, this.#body.length) <= this.#options.bodyMemoryBytesMax &&
      contentMemory.hasRoom(costOf(block))
    );
  }

  #releaseMemory(): void {
    contentMemory.release(this.#held);
    this.#held = 0;
    this.#blocks = [];
  }
}

function nothing(): void {}
