/** How the number of workers follows what there is to do. */
export interface ScalingOptions {
  /** The fewest workers. */
  readonly workersMin: number;
  /** A worker leaves after so long a time in which one of them was always idle, in milliseconds. */
  readonly workersIdleMs: number;
}

/** What a release has to do at a moment. */
export interface Load {
  readonly nowMs: number;
  /** The wait that the last request in the queue may expect, in milliseconds; 0 when none waits. */
  readonly waitMs: number;
  /** How many workers it should have, and how many of them run a request. */
  readonly size: number;
  readonly busyWorkers: number;
  /** Whether a worker is starting or about to be replaced. */
  readonly isChanging: boolean;
}

/** The interval of samples, in milliseconds. */
export const SAMPLE_MS = 200;
/** A wait that is worth one more worker, in milliseconds. A fork takes less time. */
const WAIT_MS_MAX = 20;
/** So many samples in a row must show such a wait. One of them may be a burst, which is over before a worker is ready. */
const WAITS_MIN = 2;

/**
 * Decides about the number of workers from samples of the load. One more starts when requests wait for long in two samples
 * in a row, and none is starting: so a slow import is waited for. One leaves when, for `workersIdleMs`, at no sample all
 * of them were busy. It takes a moment to become more and a long time to become fewer, so the number does not swing.
 */
export class Scaling {
  readonly #options: ScalingOptions;
  readonly #sizeMax: number;
  /** How many samples in a row showed a wait. */
  #waits = 0;
  /** The last time when all workers were needed; 0 before the first sample. */
  #neededMs = 0;

  constructor(options: ScalingOptions, sizeMax: number) {
    this.#options = options;
    this.#sizeMax = sizeMax;
  }

  /** Must be called with each sample. Returns how many workers there should be. */
  sizeFor({ nowMs, waitMs, size, busyWorkers, isChanging }: Load): number {
    const { workersMin, workersIdleMs } = this.#options;
    this.#waits = waitMs > WAIT_MS_MAX ? this.#waits + 1 : 0;
    if (this.#neededMs === 0 || busyWorkers >= size || waitMs > 0) this.#neededMs = nowMs;
    if (isChanging) return size;
    if (this.#waits >= WAITS_MIN && size < this.#sizeMax) return size + 1;
    if (size <= workersMin || nowMs - this.#neededMs < workersIdleMs) return size;
    this.#neededMs = nowMs;
    return size - 1;
  }
}

/** The number of workers that is nearest to `size` and that the options of a release allow. */
export function sizeWithin(
  { workers, scaling }: { readonly workers: number; readonly scaling?: ScalingOptions },
  size: number,
): number {
  return Math.min(workers, Math.max(scaling?.workersMin ?? workers, size));
}
