import type { Lane } from './lane.ts';

const TICK_MS = 2;
/** No lane counts as stalled before this time, however fast its requests usually are. */
const STALL_MS_MIN = 3;
/** A worker holds finished responses back for this long while it has more to run (`FLUSH_NS` in lane.py). */
const FLUSH_MS = 4;
const STALL_AVERAGES = 4;
/** The watch rests when no lane had two requests for this many ticks. */
const QUIET_TICKS_MAX = 50;

/**
 * Finds lanes in which requests wait behind a slow one, and recalls these requests for another lane. On a recall the
 * worker also sends its finished responses.
 */
export class RecallWatch {
  /** Lanes in which a request waits. */
  readonly #lanes = new Set<Lane>();
  #timer: NodeJS.Timeout | null = null;
  #quietTicks = 0;
  #stopped = false;

  /** Must be called when a lane has more than one request. The lane is watched until it has not, also outside of the pool. */
  watch(lane: Lane): void {
    this.#lanes.add(lane);
    this.#quietTicks = 0;
    if (!this.#stopped) this.#timer ??= setInterval(setImmediate, TICK_MS, this.#checkLanes);
  }

  /** Ends the watch for good. */
  stop(): void {
    this.#stopped = true;
    this.#rest();
  }

  #rest(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  /**
   * Runs after the timer, in the check phase. If this process was busy, responses wait in the sockets and are read
   * between the two phases.
   */
  readonly #checkLanes = (): void => {
    const now = performance.now();
    this.#quietTicks += 1;
    for (const lane of this.#lanes) this.#checkLane(lane, now);
    if (this.#quietTicks > QUIET_TICKS_MAX) this.#rest();
  };

  #checkLane(lane: Lane, now: number): void {
    if (lane.inflight.length < 2 || lane.state === 'closed') {
      this.#lanes.delete(lane);
      return;
    }
    this.#quietTicks = 0;
    if (lane.state === 'recalling') return;
    const averageMs = lane.averageNs / 1e6;
    const unsentMs = Math.min(FLUSH_MS, lane.inflight.length * averageMs);
    const stallMs = unsentMs + Math.max(STALL_MS_MIN, STALL_AVERAGES * averageMs);
    if (lane.state === 'stalled' || now - lane.headSinceMs >= stallMs) lane.recall();
  }
}
