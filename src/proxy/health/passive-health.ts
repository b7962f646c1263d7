import type { Upstream } from '../upstream.ts';

export interface PassiveHealthOptions {
  /** How long a failed backend first counts as down. 0 never marks a backend as down. */
  readonly retryAfterMs: number;
  /** The time doubles with each further failure, up to this limit. */
  readonly retryAfterMsMax: number;
  /**
   * Number of failures in a row that opens the circuit of a backend; 0 for never. While down, a backend with an open
   * circuit receives no requests even when no other backend is left.
   */
  readonly failuresMax: number;
  /** Milliseconds of a monotonic clock. */
  readonly now: () => number;
}

interface HealthRecord {
  failures: number;
  untilMs: number;
  lengthMs: number;
  /** The one trial request that tests a backend after its circuit was open. */
  trial: object | null;
}

interface Choice {
  readonly version: number;
  readonly untilMs: number;
  readonly available: readonly Upstream[];
}

/**
 * Judges backends by the results of their requests. A backend that cannot be reached counts as down, longer each time,
 * so that not every request has to discover the failure. After `failuresMax` failures of any kind in a row, the backend
 * is also down and its circuit is open. Afterwards one trial request tests it. When the backend answers the trial,
 * other requests follow.
 */
export class PassiveHealth {
  readonly #options: PassiveHealthOptions;
  readonly #records = new Map<Upstream, HealthRecord>();
  readonly #choices = new WeakMap<readonly Upstream[], Choice>();
  #version = 0;

  constructor(options: PassiveHealthOptions) {
    this.#options = options;
  }

  /**
   * Records a failed request; `isUnreachable` means that no connection was possible. Returns whether the backend is down
   * from now on.
   */
  failed(upstream: Upstream, isUnreachable: boolean): boolean {
    const { retryAfterMs, retryAfterMsMax, failuresMax, now } = this.#options;
    if (retryAfterMs === 0) return false;
    const nowMs = now();
    const previous = this.#records.get(upstream);
    // Concurrent requests fail together, which counts as one failure. Some time after the backend was down, the delay
    // is reset.
    if (previous !== undefined && nowMs < previous.untilMs) return false;
    this.#version += 1;
    const recent = previous !== undefined && nowMs < previous.untilMs + previous.lengthMs;
    const failures = (previous?.failures ?? 0) + 1;
    const isDown = isUnreachable || (failuresMax > 0 && failures >= failuresMax);
    if (!isDown) {
      this.#records.set(upstream, {
        failures,
        untilMs: previous?.untilMs ?? 0,
        lengthMs: previous?.lengthMs ?? 0,
        trial: null,
      });
      return false;
    }
    const lengthMs = recent ? Math.min(2 * previous.lengthMs, retryAfterMsMax) : retryAfterMs;
    this.#records.set(upstream, { failures, untilMs: nowMs + lengthMs, lengthMs, trial: null });
    return true;
  }

  /** Records a response of `upstream`. */
  succeeded(upstream: Upstream): void {
    if (this.#records.size > 0 && this.#records.delete(upstream)) this.#version += 1;
  }

  /** Must be called before `request` is sent to `upstream`. After an open circuit this request becomes the trial. */
  sending(upstream: Upstream, request: object): void {
    if (this.#records.size === 0) return;
    const record = this.#records.get(upstream);
    if (record === undefined || !this.#isOpen(record)) return;
    record.trial = request;
    this.#version += 1;
  }

  /** Records that `request` ended without a result for `upstream`. */
  cancelled(upstream: Upstream, request: object): void {
    const record = this.#records.get(upstream);
    if (record === undefined || record.trial !== request) return;
    record.trial = null;
    this.#version += 1;
  }

  /** Forgets an upstream that has left. */
  forget(upstream: Upstream): void {
    this.succeeded(upstream);
  }

  /** Returns those of `upstreams` that are not down. */
  available(upstreams: readonly Upstream[]): readonly Upstream[] {
    if (this.#records.size === 0) return upstreams;
    const nowMs = this.#options.now();
    const known = this.#choices.get(upstreams);
    if (known !== undefined && known.version === this.#version && nowMs < known.untilMs) return known.available;
    let untilMs = Number.POSITIVE_INFINITY;
    const available = upstreams.filter((upstream) => {
      const record = this.#records.get(upstream);
      if (record === undefined) return true;
      if (nowMs < record.untilMs) untilMs = Math.min(untilMs, record.untilMs);
      return nowMs >= record.untilMs && record.trial === null;
    });
    const choice = available.length === upstreams.length ? upstreams : available;
    this.#choices.set(upstreams, { version: this.#version, untilMs, available: choice });
    return choice;
  }

  /** Returns those of `upstreams` that may receive requests although all are down: those without an open circuit. */
  lastResort(upstreams: readonly Upstream[]): readonly Upstream[] {
    return upstreams.filter((upstream) => {
      const record = this.#records.get(upstream);
      return record === undefined || !this.#isOpen(record);
    });
  }

  /** Whether `upstream` receives no requests even when no other is left. */
  isOpen(upstream: Upstream): boolean {
    const record = this.#records.get(upstream);
    return record !== undefined && this.#isOpen(record);
  }

  isDown(upstream: Upstream): boolean {
    return this.downForMs(upstream) > 0;
  }

  /** How long `upstream` will still be down, in ms. */
  downForMs(upstream: Upstream): number {
    return Math.max(0, (this.#records.get(upstream)?.untilMs ?? 0) - this.#options.now());
  }

  #isOpen({ failures }: HealthRecord): boolean {
    const { failuresMax } = this.#options;
    return failuresMax > 0 && failures >= failuresMax;
  }
}
