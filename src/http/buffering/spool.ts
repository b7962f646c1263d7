import type { BodySink, BodySource, HeaderList } from '../message.ts';
import { compact, contentMemory, costOf } from './content-memory.ts';
import { SpoolFile, type SpoolFileOwner } from './spool-file.ts';

export interface SpoolLimits {
  /** Content up to this size stays in memory while `contentMemory` has room; other content goes to a file. */
  readonly memoryBytesMax: number;
  /** When memory and file together reach this size, the source is paused. */
  readonly bytesMax: number;
  /**
   * The disk is full, or the file cannot be used for another reason. The spool then holds what has arrived, and the source waits for the
   * sink. Called once for each spool.
   */
  readonly onFileFailed?: (error: Error) => void;
}

/** A block that waits in memory. */
interface HeldBlock {
  readonly bytes: Uint8Array;
  readonly onReleased: (() => void) | undefined;
}

/** The source pauses while this much waits to be written to the file. */
const UNWRITTEN_BYTES_MAX = 65_536;

/**
 * A buffer between a source and a sink of different speeds: first in memory, then in a file. The spool takes content from the source up to
 * the limits and delivers it in order. Content for a sink that takes it at once passes without a copy.
 */
export class Spool implements BodySource, BodySink, SpoolFileOwner {
  readonly #source: BodySource;
  readonly #limits: SpoolLimits;
  /** Content in memory, the oldest. */
  #blocks: HeldBlock[] = [];
  #memoryBytes = 0;
  /** What `contentMemory` counts for this spool. */
  #heldBytes = 0;
  /** Content after that in memory. */
  #file: SpoolFile | null = null;
  /** Content after that in the file, which could not be stored any more. */
  #unstored: HeldBlock[] | null = null;
  #taken: 'partly' | 'whole' | Error = 'partly';
  #sourcePaused = false;
  #sink: BodySink | null = null;
  #state: 'new' | 'flowing' | 'paused' | 'over' = 'new';
  #giving = false;

  constructor(source: BodySource, limits: SpoolLimits) {
    this.#source = source;
    this.#limits = limits;
  }

  /** Starts to take content from the source. */
  fill(): void {
    this.#source.start(this);
  }

  /** Whether the source waits until the sink has taken more. */
  get isHeld(): boolean {
    return this.#sourcePaused && this.#state !== 'over';
  }

  // BodySink

  /** Takes a block that nobody else changes. */
  write(block: Uint8Array, onReleased?: () => void): void {
    if (this.#state === 'over') return;
    if (this.#state === 'flowing' && this.#memoryBytes === 0 && this.#isFileEmpty) {
      this.#sink?.write(block, onReleased);
      return;
    }
    if (this.#fitsInMemory(block)) this.#keep(block, onReleased);
    else if (this.#unstored !== null) this.#hold(this.#unstored, block, onReleased);
    else {
      this.#file ??= new SpoolFile(this);
      this.#file.append(block);
    }
    this.#give();
  }

  end(): void {
    if (this.#taken !== 'partly') return;
    this.#taken = 'whole';
    this.#give();
  }

  fail(error: Error): void {
    if (this.#taken !== 'partly') return;
    this.#taken = error;
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

  // SpoolFileOwner

  onStored(): void {
    this.#give();
  }

  onRead(block: Buffer): void {
    this.#keep(block);
    this.#give();
  }

  onStoreFailed(error: Error): void {
    this.#unstored = [];
    for (const block of this.#file?.takeUnwritten() ?? []) this.#hold(this.#unstored, block);
    this.#limits.onFileFailed?.(error);
    this.#give();
  }

  onReadFailed(error: Error): void {
    if (this.#taken === 'partly') this.#source.cancel();
    const sink = this.#sink;
    this.#release();
    sink?.fail(error);
  }

  get #isFileEmpty(): boolean {
    return (this.#file === null || this.#file.isEmpty) && (this.#unstored === null || this.#unstored.length === 0);
  }

  #fitsInMemory(block: Uint8Array): boolean {
    return (
      this.#memoryBytes + block.length <= this.#limits.memoryBytesMax &&
      this.#isFileEmpty &&
      contentMemory.hasRoom(costOf(block))
    );
  }

  #keep(block: Uint8Array, onReleased?: () => void): void {
    this.#memoryBytes += block.length;
    this.#hold(this.#blocks, block, onReleased);
  }

  #hold(blocks: HeldBlock[], block: Uint8Array, onReleased?: () => void): void {
    const bytes = compact(block);
    if (bytes === block) blocks.push({ bytes, onReleased });
    else {
      blocks.push({ bytes, onReleased: undefined });
      onReleased?.();
    }
    this.#heldBytes += costOf(bytes);
    contentMemory.hold(costOf(bytes));
  }

  /** Delivers the buffered content while the sink accepts it. */
  #give(): void {
    if (this.#giving) return;
    this.#giving = true;
    this.#giveBlocks();
    this.#giving = false;
    if (this.#state === 'flowing' && this.#memoryBytes === 0 && this.#isFileEmpty && this.#taken !== 'partly') {
      const sink = this.#sink;
      const outcome = this.#taken;
      this.#release();
      if (outcome === 'whole') sink?.end();
      else sink?.fail(outcome);
      return;
    }
    this.#holdSource();
  }

  #giveBlocks(): void {
    let next = 0;
    while (this.#state === 'flowing') {
      const block = this.#blocks[next];
      if (block !== undefined) {
        const { bytes, onReleased } = block;
        next += 1;
        this.#memoryBytes -= bytes.length;
        this.#heldBytes -= costOf(bytes);
        contentMemory.release(costOf(bytes));
        this.#sink?.write(bytes, onReleased);
        continue;
      }
      this.#blocks = [];
      next = 0;
      if (this.#file?.isReadable === true) {
        this.#file.read();
        return;
      }
      const unstored = this.#unstored;
      if (unstored === null || unstored.length === 0 || this.#file?.isEmpty === false) return;
      this.#unstored = [];
      this.#blocks = unstored;
      for (const { bytes } of unstored) this.#memoryBytes += bytes.length;
    }
    if (next > 0) this.#blocks = this.#blocks.slice(next);
  }

  /** Pauses the source while the spool holds as much as it may, or cannot put it away quickly enough. */
  #holdSource(): void {
    if (this.#taken !== 'partly' || this.#state === 'over') return;
    const full = this.#isFull;
    if (full === this.#sourcePaused) return;
    this.#sourcePaused = full;
    if (full) this.#source.pause();
    else this.#source.resume();
  }

  /** A paused source continues only when half of the room is free, because each pause costs something. */
  get #isFull(): boolean {
    const file = this.#file;
    if (file !== null) {
      if (this.#unstored !== null && this.#unstored.length > 0) return true;
      if (file.unwrittenBytes > (this.#sourcePaused ? 0 : UNWRITTEN_BYTES_MAX)) return true;
    }
    const bytes = this.#memoryBytes + (file === null ? 0 : file.length);
    return bytes > (this.#sourcePaused ? this.#limits.bytesMax / 2 : this.#limits.bytesMax);
  }

  #release(): void {
    this.#state = 'over';
    this.#sink = null;
    this.#blocks = [];
    this.#unstored = null;
    this.#memoryBytes = 0;
    contentMemory.release(this.#heldBytes);
    this.#heldBytes = 0;
    this.#file?.close();
    this.#file = null;
  }
}
