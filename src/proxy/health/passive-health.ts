import type { Upstream } from '../upstream.ts';

export interface PassiveHealthOptions {
  /** How long a backend that failed is left alone, at first. 0 never leaves one alone. */
  readonly restMs: number;
  /** It doubles with each rest that follows, up to this. */
  readonly restMsMax: number;
  /** After so many failures in a row its circuit is open: it is not asked during its rest even when no other is left. 0 never opens one. */
  readonly failuresMax: number;
  /** Milliseconds on a clock that only goes forward. */
  readonly now: () => number;
}

interface Record {
  failures: number;
  untilMs: number;
  lengthMs: number;
  /** The one request that may find out whether a backend whose circuit was open is back. */
  trial: object | null;
}

interface Choice {
  readonly version: number;
  readonly untilMs: number;
  readonly awake: readonly Upstream[];
}

/**
 * What is known of backends from how requests fared. One that could not be connected to rests, longer each time, so that not every request has to
 * find out. One that failed `failuresMax` times in a row, in whichever way, rests too, behind an open circuit: afterwards one request tries it, and
 * the others follow when that one is answered.
 */
export class PassiveHealth {
  readonly #options: PassiveHealthOptions;
  readonly #records = new Map<Upstream, Record>();
  readonly #choices = new WeakMap<readonly Upstream[], Choice>();
  #version = 0;

  constructor(options: PassiveHealthOptions) {
    this.#options = options;
  }

  /** `upstream` failed a request; `unreached` when it could not even be connected to. Returns whether it begins to rest with that. */
  failed(upstream: Upstream, unreached: boolean): boolean {
    const { restMs, restMsMax, failuresMax, now } = this.#options;
    if (restMs === 0) return false;
    const nowMs = now();
    const before = this.#records.get(upstream);
    // Requests that were under way together fail together: that is one failure. Long after its rest it begins anew.
    if (before !== undefined && nowMs < before.untilMs) return false;
    this.#version += 1;
    const recent = before !== undefined && nowMs < before.untilMs + before.lengthMs;
    const failures = (before?.failures ?? 0) + 1;
    const rests = unreached || (failuresMax > 0 && failures >= failuresMax);
    if (!rests) {
      this.#records.set(upstream, {
        failures,
        untilMs: before?.untilMs ?? 0,
        lengthMs: before?.lengthMs ?? 0,
        trial: null,
      });
      return false;
    }
    const lengthMs = recent ? Math.min(2 * before.lengthMs, restMsMax) : restMs;
    this.#records.set(upstream, { failures, untilMs: nowMs + lengthMs, lengthMs, trial: null });
    return true;
  }

  /** `upstream` gave a response. */
  succeeded(upstream: Upstream): void {
    if (this.#records.size > 0 && this.#records.delete(upstream)) this.#version += 1;
  }

  /** `request` is about to be sent to `upstream`: behind an open circuit it is the trial. */
  asks(upstream: Upstream, request: object): void {
    if (this.#records.size === 0) return;
    const record = this.#records.get(upstream);
    if (record === undefined || !this.#isOpen(record)) return;
    record.trial = request;
    this.#version += 1;
  }

  /** `request` ended without a word about `upstream`. */
  gaveUp(upstream: Upstream, request: object): void {
    const record = this.#records.get(upstream);
    if (record === undefined || record.trial !== request) return;
    record.trial = null;
    this.#version += 1;
  }

  /** `upstream` is no more. */
  forget(upstream: Upstream): void {
    this.succeeded(upstream);
  }

  /** Those of `upstreams` that do not rest. */
  awake(upstreams: readonly Upstream[]): readonly Upstream[] {
    if (this.#records.size === 0) return upstreams;
    const nowMs = this.#options.now();
    const known = this.#choices.get(upstreams);
    if (known !== undefined && known.version === this.#version && nowMs < known.untilMs) return known.awake;
    let untilMs = Number.POSITIVE_INFINITY;
    const awake = upstreams.filter((upstream) => {
      const record = this.#records.get(upstream);
      if (record === undefined) return true;
      if (nowMs < record.untilMs) untilMs = Math.min(untilMs, record.untilMs);
      return nowMs >= record.untilMs && record.trial === null;
    });
    const choice = awake.length === upstreams.length ? upstreams : awake;
    this.#choices.set(upstreams, { version: this.#version, untilMs, awake: choice });
    return choice;
  }

  /** Those of `upstreams`, all of which rest, that may be asked when there is nothing better: whose circuit is closed. */
  lastResort(upstreams: readonly Upstream[]): readonly Upstream[] {
    return upstreams.filter((upstream) => {
      const record = this.#records.get(upstream);
      return record === undefined || !this.#isOpen(record);
    });
  }

  /** Whether `upstream` is not asked even when no other is left. */
  isOpen(upstream: Upstream): boolean {
    const record = this.#records.get(upstream);
    return record !== undefined && this.#isOpen(record);
  }

  isResting(upstream: Upstream): boolean {
    return this.restLeftMs(upstream) > 0;
  }

  /** How long `upstream` is still left alone, in ms. */
  restLeftMs(upstream: Upstream): number {
    return Math.max(0, (this.#records.get(upstream)?.untilMs ?? 0) - this.#options.now());
  }

  #isOpen({ failures }: Record): boolean {
    const { failuresMax } = this.#options;
    return failuresMax > 0 && failures >= failuresMax;
  }
}
