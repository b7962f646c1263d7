import type { HttpLimits } from '../transport/limits.ts';
import { LeakyBucket } from './leaky-bucket.ts';

/** Bytes sent to a client that allow it one more window update or PING. */
const BYTES_PER_FRAME = 64;

/** Counts the cheap frames of one client, of which floods consist. A kind that the client does not send costs nothing. */
export class FloodCounters {
  readonly #limits: HttpLimits;
  readonly #tickMs: number;
  #resets: LeakyBucket | null = null;
  #pings: LeakyBucket | null = null;
  #settings: LeakyBucket | null = null;
  #priorities: LeakyBucket | null = null;
  #windowUpdates: LeakyBucket | null = null;
  /** Window updates and PINGs that the client may send for what it got. */
  #earned = 0;
  #idleFrames: LeakyBucket | null = null;

  constructor(limits: HttpLimits, tickMs: number) {
    this.#limits = limits;
    this.#tickMs = tickMs;
  }

  /** Each of these counts one frame at `tick` and returns false when the limit of its kind is exceeded. */
  reset(tick: number): boolean {
    this.#resets ??= new LeakyBucket(this.#limits.http2ResetsMax, this.#tickMs);
    return this.#resets.take(tick);
  }

  ping(tick: number): boolean {
    if (this.#spend()) return true;
    this.#pings ??= new LeakyBucket(this.#limits.http2PingsMax, this.#tickMs);
    return this.#pings.take(tick);
  }

  settings(tick: number): boolean {
    this.#settings ??= new LeakyBucket(this.#limits.http2SettingsMax, this.#tickMs);
    return this.#settings.take(tick);
  }

  priority(tick: number): boolean {
    this.#priorities ??= new LeakyBucket(this.#limits.http2PrioritiesMax, this.#tickMs);
    return this.#priorities.take(tick);
  }

  windowUpdate(tick: number): boolean {
    if (this.#spend()) return true;
    this.#windowUpdates ??= new LeakyBucket(this.#limits.http2WindowUpdatesMax, this.#tickMs);
    return this.#windowUpdates.take(tick);
  }

  /** An empty DATA frame that does not end its stream, or a frame of an unknown type. */
  idleFrame(tick: number): boolean {
    this.#idleFrames ??= new LeakyBucket(this.#limits.http2IdleFramesMax, this.#tickMs);
    return this.#idleFrames.take(tick);
  }

  /** `bytes` were sent: for them the client may open its windows and measure the way (gRPC does), also later. */
  countSent(bytes: number): void {
    this.#earned += bytes / BYTES_PER_FRAME;
  }

  #spend(): boolean {
    if (this.#earned < 1) return false;
    this.#earned -= 1;
    return true;
  }
}
