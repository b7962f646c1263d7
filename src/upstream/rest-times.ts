import type { Upstream } from './protocol.ts';

export interface RestOptions {
  /** How long a backend that could not be connected to is left alone, at first. 0 never leaves one alone. */
  readonly restMs: number;
  /** It doubles with each failure that follows, up to this. */
  readonly restMsMax: number;
  /** Milliseconds on a clock that only goes forward. */
  readonly now: () => number;
}

interface Rest {
  untilMs: number;
  lengthMs: number;
}

/** Backends that could not be connected to are left alone for a while, longer each time, so that not every request has to find out. */
export class RestTimes {
  readonly #options: RestOptions;
  readonly #rests = new Map<Upstream, Rest>();

  constructor(options: RestOptions) {
    this.#options = options;
  }

  /** `upstream` could not be connected to. */
  failed(upstream: Upstream): void {
    const { restMs, restMsMax, now } = this.#options;
    if (restMs === 0) return;
    const nowMs = now();
    const before = this.#rests.get(upstream);
    // Requests that were under way together fail together: that is one failure. Long after its rest it begins anew.
    if (before !== undefined && nowMs < before.untilMs) return;
    const recent = before !== undefined && nowMs < before.untilMs + before.lengthMs;
    const lengthMs = recent ? Math.min(2 * before.lengthMs, restMsMax) : restMs;
    this.#rests.set(upstream, { untilMs: nowMs + lengthMs, lengthMs });
  }

  /** Those of `upstreams` that are not left alone; all of them when none is left. */
  awake(upstreams: readonly Upstream[]): readonly Upstream[] {
    if (this.#rests.size === 0) return upstreams;
    const nowMs = this.#options.now();
    for (const [upstream, { untilMs, lengthMs }] of this.#rests) {
      if (nowMs >= untilMs + lengthMs) this.#rests.delete(upstream);
    }
    const awake = upstreams.filter((upstream) => nowMs >= (this.#rests.get(upstream)?.untilMs ?? 0));
    return awake.length > 0 ? awake : upstreams;
  }
}
