import { join } from 'node:path';
import { contentMemory, costOf } from '../http/buffering/content-memory.ts';
import type { BodySink, RequestBody } from '../http/message.ts';
import { RequestBodyError } from '../http/refusal.ts';
import { giveBackFormMemory, takeFormMemory } from './form-memory.ts';
import { UploadFile, type UploadFileOwner } from './upload-file.ts';

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
 * `onFailed` receives `isServerError` true when the file could not be written, or a handler could not read the body. It
 * is false when the client left, was too slow or sent too much; then the connection answers the client itself.
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

class Receiver implements BodySink, UploadFileOwner {
  readonly #body: RequestBody;
  readonly #options: SpoolOptions;
  readonly #onReceived: (received: ReceivedBody) => void;
  readonly #onFailed: (error: Error, isServerError: boolean) => void;
  #blocks: Uint8Array[] = [];
  #length = 0;
  /** What `contentMemory` counts for the blocks. */
  #held = 0;
  /** The memory of the blocks, for content whose length was announced and is neither small nor large. */
  #memory: Buffer | null = null;
  #file: UploadFile | null = null;
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
    if (this.#fitsInMemory(block)) {
      this.#keep(block);
      this.#held += costOf(block);
      contentMemory.hold(costOf(block));
      return;
    }
    const file = this.#file ?? this.#spool();
    if (file !== null && !file.append(block, this.#left)) this.#body.pause();
  }

  end(): void {
    if (this.#done) return;
    if (this.#file !== null) {
      this.#file.end();
      return;
    }
    this.#done = true;
    const release = () => this.#releaseMemory();
    this.#onReceived({ length: this.#length, blocks: this.#blocks, path: null, release });
  }

  fail(error: Error): void {
    this.#fail(error, !(error instanceof RequestBodyError));
  }

  // UploadFileOwner

  onRoom(): void {
    if (!this.#done) this.#body.resume();
  }

  onStored(): void {
    if (this.#done) return;
    this.#done = true;
    const file = this.#file as UploadFile;
    this.#onReceived({ length: this.#length, blocks: [], path: file.path, release: () => file.remove() });
  }

  onFailed(error: Error): void {
    this.#body.cancel();
    this.#fail(error, true);
  }

  /** Content that is still to come, as far as known. */
  get #left(): number {
    return this.#body.length < 0 ? Number.POSITIVE_INFINITY : this.#body.length - this.#length;
  }

  #fail(error: Error, isServerError: boolean): void {
    if (this.#done) return;
    this.#done = true;
    this.#releaseMemory();
    this.#file?.remove();
    this.#onFailed(error, isServerError);
  }

  /** Opens the spool file. Returns null after a failure, which it has reported. */
  #spool(): UploadFile | null {
    spoolFiles += 1;
    let path: string;
    try {
      path = join(this.#options.directory(), `body-${spoolFiles}`);
    } catch (error) {
      this.onFailed(error as Error);
      return null;
    }
    const file = new UploadFile(path, this);
    this.#file = file;
    for (const block of this.#blocks) file.append(block, this.#left);
    this.#releaseMemory();
    return file;
  }

  #keep(block: Uint8Array): void {
    if (this.#blocks.length === 0) this.#memory = takeFormMemory(this.#body.length);
    if (this.#memory === null || this.#length > this.#memory.length) {
      this.#blocks.push(Buffer.from(block));
      return;
    }
    this.#memory.set(block, this.#length - block.length);
    this.#blocks[0] = this.#memory.subarray(0, this.#length);
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
    if (this.#memory !== null) giveBackFormMemory(this.#memory);
    this.#memory = null;
  }
}
