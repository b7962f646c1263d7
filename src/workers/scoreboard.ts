import { closeSync, constants, fstatSync, openSync, readSync, rmSync } from 'node:fs';
import { ViaductError } from '../errors.ts';

/**
 * The slot of a lane: id of the last started request u64, bytes of the copies u64, then the copies. `scoreboard.py`
 * writes it.
 */
const SLOT_HEAD_BYTES = 16;
const COPIES_BYTES = 262_144;
const SLOT_BYTES = SLOT_HEAD_BYTES + COPIES_BYTES;
/** Without O_NONBLOCK, opening a pipe would wait for its other end; and the worker has no reason to make a link. */
const OPEN_FLAGS = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW;

/**
 * The file in which a worker records what the server must know after the worker's death. The file is opened before the
 * worker receives a request, and removed from its directory at once. So neither a lack of descriptors nor a cleanup of
 * temporary files can make a started request look as if it had not been started.
 */
export class Scoreboard {
  readonly #fd: number;

  /** @throws an error of the system, or ViaductError `WORKER` for something else than a file */
  constructor(path: string) {
    this.#fd = openSync(path, OPEN_FLAGS);
    rmSync(path, { force: true });
    if (fstatSync(this.#fd).isFile()) return;
    closeSync(this.#fd);
    throw new ViaductError('WORKER', 'Cannot read a scoreboard: it is not a regular file');
  }

  /** Id of the request that lane `slot` started last; 0 for none. */
  lastStarted(slot: number): number {
    return this.#slotHead(slot).readUInt32LE(0);
  }

  /** Frames of finished responses of lane `slot` that the worker may not have sent, in order. */
  copies(slot: number): Buffer {
    const length = Math.min(this.#slotHead(slot).readUInt32LE(8), COPIES_BYTES);
    return this.#read(slot * SLOT_BYTES + SLOT_HEAD_BYTES, length);
  }

  close(): void {
    closeSync(this.#fd);
  }

  #slotHead(slot: number): Buffer {
    return this.#read(slot * SLOT_BYTES, SLOT_HEAD_BYTES);
  }

  #read(position: number, length: number): Buffer {
    const data = Buffer.alloc(length);
    readSync(this.#fd, data, 0, length, position);
    return data;
  }
}

/** Removes the file of a worker that died, or was retired, before it had its lanes. It need not exist. */
export function removeScoreboard(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // it goes with its directory
  }
}
