import type { FrameWriter } from './frame-writer.ts';
import { FRAME_BYTES_MAX, WINDOW_BYTES } from './frames.ts';
import { type Priority, URGENCY_MAX } from './priority.ts';

/** How much content one turn of the event loop writes at most, before the socket shows whether the client takes it. */
const TURN_BYTES_MAX = 131_072;

/** The content of one stream, as the queue sees it. */
export interface QueuedOutput {
  readonly id: number;
  readonly priority: Priority;
  /** What the peer takes of this stream (RFC 9113 section 6.9). It may be negative. */
  readonly window: number;
  /** Whether the queue has this output. */
  queued: boolean;
  /** The bytes that wait: from `at` to the end of `pending`; null if nothing waits. */
  readonly pending: Uint8Array | null;
  readonly at: number;
  /** Whether the last byte that waits is the last one of the stream. */
  readonly endsStream: boolean;
  /** The next `bytes` of what waits were sent. */
  sent(bytes: number): void;
}

/**
 * Decides which stream sends its content next: the most urgent first (RFC 9218 section 10). Incremental responses of the same urgency take
 * turns by frames. The turns of others go to the one whose stream started first. It also keeps the window of the connection.
 */
export class SendQueue {
  /** What the client takes of all streams together. */
  window = WINDOW_BYTES;
  /** Whether the socket holds as much as it should. */
  blocked = false;
  readonly #writer: FrameWriter;
  /** Outputs that can send, by urgency. */
  #levels: (QueuedOutput[] | null)[] | null = null;
  #size = 0;
  #pumping = false;

  constructor(writer: FrameWriter) {
    this.#writer = writer;
  }

  /** Whether `bytes` of content can be sent now, before everything that waits. */
  takesNow(bytes: number): boolean {
    return this.#size === 0 && bytes <= this.window && !this.blocked && this.#writer.bytes < TURN_BYTES_MAX;
  }

  /** Whether the socket and the window allow more content in this turn. */
  get isOpen(): boolean {
    return !this.blocked && this.window > 0 && this.#writer.bytes < TURN_BYTES_MAX;
  }

  /** Whether an output waits and may send. */
  get isWaiting(): boolean {
    return this.#size > 0 && this.isOpen;
  }

  /** `output` has content. Nothing happens as long as its own window is closed. */
  add(output: QueuedOutput): void {
    if (output.queued || output.pending === null || output.window <= 0) return;
    output.queued = true;
    this.#size += 1;
    const { urgency } = output.priority;
    this.#levels ??= new Array(URGENCY_MAX + 1).fill(null);
    const level = this.#levels[urgency] ?? [];
    this.#levels[urgency] = level;
    level.push(output);
  }

  remove(output: QueuedOutput): void {
    if (!output.queued) return;
    output.queued = false;
    this.#size -= 1;
    const level = this.#levels?.[output.priority.urgency];
    level?.splice(level.indexOf(output), 1);
  }

  /** Writes frames as long as there is content and room. */
  pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    while (this.#size > 0 && this.isOpen) this.#sendNext();
    this.#pumping = false;
  }

  #sendNext(): void {
    const levels = this.#levels as (QueuedOutput[] | null)[];
    let urgency = 0;
    while ((levels[urgency]?.length ?? 0) === 0) urgency += 1;
    const level = levels[urgency] as QueuedOutput[];
    const turn = level[0] as QueuedOutput;
    if (level.length > 1) {
      level.shift();
      level.push(turn);
    }
    this.#send(turn.priority.incremental ? turn : firstToFinish(level));
  }

  /** Sends one frame of `output`. */
  #send(output: QueuedOutput): void {
    const pending = output.pending as Uint8Array;
    const left = pending.length - output.at;
    const bytes = Math.min(left, FRAME_BYTES_MAX, this.window, output.window);
    this.#writer.data(output.id, pending, output.at, output.at + bytes, output.endsStream && bytes === left);
    this.window -= bytes;
    if (bytes === left || bytes === output.window) this.remove(output);
    output.sent(bytes);
  }
}

/** Of those that are not incremental, the one whose stream started first. There is at least one. */
function firstToFinish(level: readonly QueuedOutput[]): QueuedOutput {
  let first: QueuedOutput | null = null;
  for (const output of level) {
    if (!output.priority.incremental && (first === null || output.id < first.id)) first = output;
  }
  return first as QueuedOutput;
}
