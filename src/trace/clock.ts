/**
 * The clock of traces: milliseconds of `performance.now()`. Python's `perf_counter_ns()` and Node's `process.hrtime` read the same clock of the
 * system, CLOCK_MONOTONIC, so that only the distance between Node's two clocks has to be measured.
 */
export interface Clock {
  /** What to subtract from CLOCK_MONOTONIC to get `performance.now()`, in milliseconds. */
  readonly offsetMs: number;
  /** How far `offsetMs` may be wrong, in microseconds. */
  readonly errorUs: number;
}

const READINGS = 16;

let measured: Clock | null = null;

/** The distance of the two clocks; measured once. */
export function traceClock(): Clock {
  measured ??= measure();
  return measured;
}

/** The time of `performance.now()` at `ns` of CLOCK_MONOTONIC. */
export function fromMonotonicNs(ns: number): number {
  return ns / 1e6 - traceClock().offsetMs;
}

/** Reads one clock between two readings of the other. The closest pair of readings is the best of several. */
function measure(): Clock {
  let best: Clock = { offsetMs: 0, errorUs: Number.POSITIVE_INFINITY };
  for (let i = 0; i < READINGS; i += 1) {
    const before = performance.now();
    const ns = process.hrtime.bigint();
    const after = performance.now();
    const errorUs = Math.max(1, Math.ceil(((after - before) / 2) * 1000));
    if (errorUs < best.errorUs) best = { offsetMs: Number(ns) / 1e6 - (before + after) / 2, errorUs };
  }
  return best;
}
