import type { Pool } from './pool.ts';
import type { Release } from './release.ts';
import { KNOWS_RESIDENT_MEMORY, residentBytes } from './resident-memory.ts';
import { SAMPLE_MS, Scaling, type ScalingOptions } from './scaling.ts';
import type { Recycle } from './serving-workers.ts';

export interface UpkeepEvents {
  readonly onRecycle: (recycle: Recycle) => void;
  /** There should be so many workers. `reason` is for the log. */
  readonly onResize: (size: number, reason: string) => void;
}

const AGE_TICK_MS = 1000;
/** A leak that matters takes longer. */
const MEMORY_TICK_MS = 5000;
const MIB = 1024 * 1024;

/** Looks at the workers of the serving release now and then: at their age and memory, and whether their number is right. */
export class Upkeep {
  readonly #pool: Pool;
  readonly #events: UpkeepEvents;
  #timers: NodeJS.Timeout[] = [];

  constructor(pool: Pool, events: UpkeepEvents) {
    this.#pool = pool;
    this.#events = events;
  }

  /** Looks after `release` from now on, as its options say; null for none. */
  watch(release: Release | null): void {
    for (const timer of this.#timers) clearInterval(timer);
    this.#timers = [];
    if (release === null) return;
    const { limits, scaling, workers } = release.options;
    const every = (ms: number, look: () => void): void => {
      this.#timers.push(setInterval(look, ms).unref());
    };
    if (limits !== undefined && limits.maxLifetimeMs > 0) every(AGE_TICK_MS, () => this.#checkAges(release));
    if (limits !== undefined && limits.maxRssBytes > 0 && KNOWS_RESIDENT_MEMORY)
      every(MEMORY_TICK_MS, () => this.#checkMemory(release, limits.maxRssBytes));
    if (scaling !== undefined) {
      const scaler = new Scaling(scaling, workers);
      every(SAMPLE_MS, () => this.#scale(release, scaler, scaling));
    }
  }

  #checkAges({ workers }: Release): void {
    const now = performance.now();
    for (const worker of workers.values()) {
      if (now - worker.bornMs < worker.lifetimeMs) continue;
      this.#events.onRecycle({ worker, reason: 'it is as old as max_lifetime_ms allows', cause: 'max_lifetime_ms' });
    }
  }

  /** A worker that has done nothing yet is left alone: another one would be as large. */
  #checkMemory({ workers }: Release, bytesMax: number): void {
    for (const worker of workers.values()) {
      const bytes = worker.requests === 0 ? 0 : residentBytes(worker.pid);
      if (bytes <= bytesMax) continue;
      const reason = `its ${Math.ceil(bytes / MIB)} MiB of memory are more than max_rss_bytes allows`;
      this.#events.onRecycle({ worker, reason, cause: 'max_rss_bytes' });
    }
  }

  #scale(release: Release, scaler: Scaling, { workersIdleMs }: ScalingOptions): void {
    const { size } = release;
    const waitMs = this.#pool.expectedWaitMs;
    const { busyWorkers } = this.#pool;
    const isChanging = [...release.workers.values()].some(
      ({ state, successor }) => state === 'starting' || successor !== null,
    );
    const next = scaler.sizeFor({ nowMs: performance.now(), waitMs, size, busyWorkers, isChanging });
    if (next > size) this.#events.onResize(next, `requests wait for ${Math.ceil(waitMs)} ms`);
    if (next < size) this.#events.onResize(next, `one of them was idle for ${workersIdleMs / 1000} s`);
  }
}
