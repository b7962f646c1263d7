import type { Lane } from './lane.ts';

/** A request may be expected to wait this long behind others in a busy lane when every lane is busy. */
const WAIT_NS_MAX = 1_000_000;
/** And this long behind short ones: what each batch costs two processes is then more than they could gain by another order. */
const WAIT_BEHIND_SHORT_NS_MAX = 4_000_000;
const SHORT_NS = 250_000;
/** And this long although another thread of the same process is idle: two threads of one interpreter share its lock. */
const WAIT_NS_BESIDE_IDLE_THREAD = 100_000;

/**
 * Chooses the lane for the next request, or null when it has to wait in the queue. In this order: an idle lane of an idle
 * worker; a busy lane whose requests are so short that waking a second thread of its worker costs more; an idle lane of the worker with the
 * fewest busy ones; a busy lane with room. A lane has room for as many requests as keep the expected wait under a millisecond, or a few when they are short, at
 * most `depthMax`; one that was never measured, or that runs a slow request now, has none. Slow applications get one request at a time that way,
 * and fast ones get batches.
 */
export function chooseLane(lanes: readonly Lane[], depthMax: number): Lane | null {
  let idle: Lane | null = null;
  let shortest: Lane | null = null;
  let shortestNs = WAIT_BEHIND_SHORT_NS_MAX;
  for (let i = 0; i < lanes.length; i += 1) {
    const lane = lanes[i] as Lane;
    if (lane.state !== 'open') continue;
    const waiting = lane.inflight.length;
    if (waiting === 0) {
      if (lane.load.busyLanes === 0) return lane;
      if (idle === null || lane.load.busyLanes < idle.load.busyLanes) idle = lane;
    } else if (lane.averageNs > 0 && waiting < depthMax) {
      const expectedNs = waiting * lane.averageNs;
      if (expectedNs < shortestNs && (expectedNs < WAIT_NS_MAX || lane.averageNs < SHORT_NS)) {
        shortest = lane;
        shortestNs = expectedNs;
      }
    }
  }
  return shortestNs < WAIT_NS_BESIDE_IDLE_THREAD || idle === null ? shortest : idle;
}
