import type { SimFile } from '../files.ts';

const NOTED_BYTES = 16;
const COPIES_BYTES = 262_144;
const SLOT_BYTES = NOTED_BYTES + COPIES_BYTES;

/** What a lane writes on the scoreboard, as in scoreboard.py. */
export class Slot {
  lastStarted = 0;
  copied = 0;
  copies: Buffer[] = [];

  static readonly capacity = COPIES_BYTES;
}

/** The file of a worker, without its megabytes of zeros. */
export class ScoreboardFile implements SimFile {
  readonly slots: readonly Slot[];
  readonly size: number;

  constructor(lanes: number) {
    this.slots = Array.from({ length: lanes }, () => new Slot());
    this.size = lanes * SLOT_BYTES;
  }

  read(into: Buffer, position: number): void {
    const slot = this.slots[Math.floor(position / SLOT_BYTES)] as Slot;
    const start = position % SLOT_BYTES;
    if (start === 0) {
      into.writeUInt32LE(slot.lastStarted, 0);
      into.writeUInt32LE(slot.copied, 8);
    } else Buffer.concat(slot.copies).copy(into, 0, start - NOTED_BYTES);
  }
}
