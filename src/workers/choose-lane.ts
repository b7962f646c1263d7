import type { Lane } from './lane.ts';

/** When every lane is busy, a request may wait behind others for at most this expected time. */
const WAIT_NS_MAX = 1_000_000;
/**
 * Limit behind short requests. Another order of requests would gain less than the cost of each batch for two processes.
 */
const WAIT_BEHIND_SHORT_NS_MAX = 4_000_000;
const SHORT_NS = 250_000;
/** Limit while another thread of the same process is idle. Two threads of one interpreter share its lock. */
const WAIT_NS_BESIDE_IDLE_THREAD = 100_000;

/**
 * Chooses the lane for the next request; null when the request must wait in the queue. In order of preference:
 * 1. an idle lane of an idle worker;
 * 2. a busy lane whose requests are so short that waking a second thread of its worker costs more;
 * 3. an idle lane of the worker with the fewest busy lanes;
 * 4. a busy lane with room.
 *
 * A lane has room while the expected wait stays below a millisecond, or a few milliseconds for short requests, with at
 * most `depthMax` requests. A lane without measurements or with a slow running request has no room. Slow applications
 * therefore get one request at a time, and fast ones get batches.
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
