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
  readonly #lanes: readonly Lane[];
  /** Lanes that receive no more requests and finish their current ones. */
  #leaving: Lane[] = [];
  #timer: NodeJS.Timeout | null = null;
  #quietTicks = 0;
  #stopped = false;

  /** `lanes` is the pool's own list, read at each tick. */
  constructor(lanes: readonly Lane[]) {
    this.#lanes = lanes;
  }

  /** Must be called when a lane has more than one request. */
  start(): void {
    this.#quietTicks = 0;
    if (!this.#stopped) this.#timer ??= setInterval(setImmediate, TICK_MS, this.#checkLanes);
  }

  /** Must be called when a lane leaves the pool's list: its remaining requests may also wait behind a slow one. */
  watchLeaving(lane: Lane): void {
    if (lane.state === 'closed' || lane.inflight.length < 2) return;
    this.#leaving.push(lane);
    this.start();
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
    if (this.#leaving.length > 0) {
      this.#leaving = this.#leaving.filter((lane) => lane.state !== 'closed' && lane.inflight.length > 1);
      for (const lane of this.#leaving) this.#checkLane(lane, now);
    }
    if (this.#quietTicks > QUIET_TICKS_MAX) this.#rest();
  };

  #checkLane(lane: Lane, now: number): void {
    if (lane.inflight.length < 2) return;
    this.#quietTicks = 0;
    if (lane.state === 'recalling' || lane.state === 'closed') return;
    const averageMs = lane.averageNs / 1e6;
    const unsentMs = Math.min(FLUSH_MS, lane.inflight.length * averageMs);
    const stallMs = unsentMs + Math.max(STALL_MS_MIN, STALL_AVERAGES * averageMs);
    if (lane.state === 'stalled' || now - lane.headSinceMs >= stallMs) lane.recall();
  }
}
