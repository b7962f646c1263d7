import type { Lane } from './lane.ts';

const TICK_MS = 2;
/** No lane is called stalled before this, however fast its requests usually are. */
const STALL_MS_MIN = 3;
/** A worker keeps finished responses for this long when it has more to run (`FLUSH_NS` in lane.py). */
const FLUSH_MS = 4;
const STALL_AVERAGES = 4;
/** The watch sleeps when no lane had two requests for this many ticks. */
const QUIET_TICKS_MAX = 50;

/**
 * Watches for lanes in which requests wait behind one that turned out slow, and has those asked back for another lane. The
 * worker also sends then what it has finished and not yet sent.
 */
export class RecallWatch {
  readonly #lanes: readonly Lane[];
  /** Lanes that get no more requests and finish those that they have. */
  #leaving: Lane[] = [];
  #timer: NodeJS.Timeout | null = null;
  #quietTicks = 0;

  /** `lanes` is the pool's own list, read at each tick. */
  constructor(lanes: readonly Lane[]) {
    this.#lanes = lanes;
  }

  /** To be called when a lane has more than one request. */
  start(): void {
    this.#quietTicks = 0;
    this.#timer ??= setInterval(setImmediate, TICK_MS, this.#look);
  }

  /** To be called when a lane leaves the pool's list: what it still has may wait behind a slow request, too. */
  keep(lane: Lane): void {
    if (lane.state === 'closed' || lane.inflight.length < 2) return;
    this.#leaving.push(lane);
    this.start();
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  /** Not in the timer itself: if this process had no time, the responses lie in the sockets, and are read between the two. */
  readonly #look = (): void => {
    const now = performance.now();
    this.#quietTicks += 1;
    for (const lane of this.#lanes) this.#lookAt(lane, now);
    if (this.#leaving.length > 0) {
      this.#leaving = this.#leaving.filter((lane) => lane.state !== 'closed' && lane.inflight.length > 1);
      for (const lane of this.#leaving) this.#lookAt(lane, now);
    }
    if (this.#quietTicks > QUIET_TICKS_MAX) this.stop();
  };

  #lookAt(lane: Lane, now: number): void {
    if (lane.inflight.length < 2) return;
    this.#quietTicks = 0;
    if (lane.state === 'recalling' || lane.state === 'closed') return;
    const averageMs = lane.averageNs / 1e6;
    const unsentMs = Math.min(FLUSH_MS, lane.inflight.length * averageMs);
    const stallMs = unsentMs + Math.max(STALL_MS_MIN, STALL_AVERAGES * averageMs);
    if (lane.state === 'stalled' || now - lane.headSinceMs >= stallMs) lane.recall();
  }
}
