import { compact, contentMemory, costOf } from '../buffering/content-memory.ts';
import type { ResponseSink } from '../response-channel.ts';
import type { Priority } from './priority.ts';
import type { FieldList } from './response-fields.ts';

type WriteCallback = (error?: Error | null) => void;

/** The text that senders write as the head to a `StreamOutput`. It is not empty, because '' means to senders that the head was sent. */
export const HEAD = 'head';

/** The connection and the stream as an output sees them. */
export interface OutputOwner {
  writeHead(fields: FieldList): void;
  /** The output has content. Sends what it can at once. */
  onPending(output: StreamOutput): void;
  /** `bytes` of the content were sent. */
  onSent(bytes: number): void;
  /** All content that was written is sent, after a `write` had returned false. */
  onDrained(): void;
  /** The last byte was sent, after `end`. */
  onEnded(): void;
}

interface Block {
  readonly bytes: Uint8Array;
  readonly onWritten: WriteCallback | null;
}

/**
 * The content of a response that is sent block by block: one stream as senders see it. What waits for the client counts in `contentMemory`;
 * what leaves at once does not.
 */
export class StreamOutput implements ResponseSink {
  readonly id: number;
  /** What the client takes of this stream (RFC 9113 section 6.9). It may be negative. */
  window: number;
  priority: Priority;
  /** Whether the queue of the connection has this output. */
  queued = false;
  /** The bytes that wait: from `at` to the end of `pending`. */
  pending: Uint8Array | null = null;
  at = 0;
  readonly #fields: FieldList;
  readonly #owner: OutputOwner;
  #onWritten: WriteCallback | null = null;
  /** What `contentMemory` counts for the pending block, and for those behind it. */
  #pendingCost = 0;
  #behindCost = 0;
  /** Blocks behind the pending one. */
  #behind: Block[] | null = null;
  #ending = false;
  #inWrite = false;
  #over = false;

  constructor(id: number, window: number, priority: Priority, fields: FieldList, owner: OutputOwner) {
    this.id = id;
    this.window = window;
    this.priority = priority;
    this.#fields = fields;
    this.#owner = owner;
  }

  /** Nothing to do: the connection gathers frames anyway. */
  cork(): void {}

  uncork(): void {}

  /** Sends the head, or as much of the block as the client takes. Returns false if a part has to wait. */
  write(part: string | Uint8Array, after?: string | WriteCallback): boolean {
    if (this.#over) return true;
    if (typeof part === 'string') {
      this.#owner.writeHead(this.#fields);
      return true;
    }
    if (part.length === 0) {
      if (typeof after === 'function') process.nextTick(after);
      return true;
    }
    const onWritten = typeof after === 'function' ? after : null;
    if (this.pending !== null) {
      // A source may push what was on its way when it was told to pause.
      this.#behind ??= [];
      this.#behind.push({ bytes: onWritten === null ? compact(part) : part, onWritten });
      this.#behindCost += costOf(part);
      contentMemory.hold(costOf(part));
      return false;
    }
    this.#inWrite = true;
    this.#offer(part, onWritten);
    this.#inWrite = false;
    if (this.pending === null) return true;
    this.#keep(this.pending);
    return false;
  }

  /** Some of the block has to wait. Senders that want to know when it is written use its memory again, so it stays where it is. */
  #keep(pending: Uint8Array): void {
    if (this.#onWritten === null) {
      this.pending = compact(pending.subarray(this.at));
      this.at = 0;
    }
    this.#pendingCost = costOf(this.pending as Uint8Array);
    contentMemory.hold(this.#pendingCost);
  }

  #offer(bytes: Uint8Array, onWritten: WriteCallback | null): void {
    this.pending = bytes;
    this.at = 0;
    this.#onWritten = onWritten;
    this.#owner.onPending(this);
  }

  /** Whether the last byte that waits is the last one of the stream. */
  get endsStream(): boolean {
    return this.#ending && this.#behind === null;
  }

  /** The content ends with what waits. */
  end(): void {
    this.#ending = true;
  }

  /** The connection sent `bytes` of what waits. */
  sent(bytes: number): void {
    const pending = this.pending as Uint8Array;
    this.at += bytes;
    this.window -= bytes;
    this.#owner.onSent(bytes);
    if (this.at < pending.length) return;
    this.pending = null;
    if (this.#pendingCost > 0) contentMemory.release(this.#pendingCost);
    this.#pendingCost = 0;
    const onWritten = this.#onWritten;
    this.#onWritten = null;
    const next = this.#behind?.shift();
    if (this.#behind?.length === 0) this.#behind = null;
    if (this.#inWrite) {
      if (onWritten !== null) process.nextTick(onWritten);
    } else if (next !== undefined) {
      this.#pendingCost = costOf(next.bytes);
      this.#behindCost -= this.#pendingCost;
      onWritten?.();
      if (!this.#over) this.#offer(next.bytes, next.onWritten);
    } else if (this.#ending) this.#owner.onEnded();
    else {
      onWritten?.();
      if (!this.#over && this.pending === null) this.#owner.onDrained();
    }
  }

  /** Nothing more will be sent. */
  discard(): void {
    this.#over = true;
    contentMemory.release(this.#pendingCost + this.#behindCost);
    this.#pendingCost = 0;
    this.#behindCost = 0;
    this.pending = null;
    this.#behind = null;
    this.#onWritten = null;
  }
}
