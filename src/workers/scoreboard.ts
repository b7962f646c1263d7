import { closeSync, openSync, readSync, rmSync } from 'node:fs';

/** Of a lane: id of the request started last u64, bytes of the copies u64, then the copies. `scoreboard.py` writes it. */
const NOTED_BYTES = 16;
const COPIES_BYTES = 262_144;
const SLOT_BYTES = NOTED_BYTES + COPIES_BYTES;

/**
 * The file in which a worker notes what the front must know when it is dead. Opened before the worker gets a request, and removed from its
 * directory at once, so that at its death neither a lack of descriptors nor somebody who tidies up temporary files makes a
 * request look as if it had not been started.
 */
export class Scoreboard {
  readonly #fd: number;

  constructor(path: string) {
    this.#fd = openSync(path, 'r');
    rmSync(path, { force: true });
  }

  /** Id of the request that lane `slot` started last; 0 for none. */
  lastStarted(slot: number): number {
    return this.#noted(slot).readUInt32LE(0);
  }

  /** Frames of finished responses of lane `slot` which may not have left the worker, in order. */
  copies(slot: number): Buffer {
    const length = Math.min(this.#noted(slot).readUInt32LE(8), COPIES_BYTES);
    return this.#read(slot * SLOT_BYTES + NOTED_BYTES, length);
  }

  close(): void {
    closeSync(this.#fd);
  }

  #noted(slot: number): Buffer {
    return this.#read(slot * SLOT_BYTES, NOTED_BYTES);
  }

  #read(position: number, length: number): Buffer {
    const data = Buffer.alloc(length);
    readSync(this.#fd, data, 0, length, position);
    return data;
  }
}
