import { Outcomes } from './outcomes.ts';
import type { Pool } from './pool.ts';
import type { Release } from './release.ts';
import { Replacements } from './replacements.ts';
import { ServingWorkers } from './serving-workers.ts';
import type { SupervisorLog } from './supervisor-options.ts';
import type { WorkerCounts } from './worker-counts.ts';

/** A release that takes requests in a pool of its own, beside the serving release, until it replaces that one or ends. */
export class ReleaseTrial {
  readonly pool: Pool;
  readonly outcomes = new Outcomes();
  readonly replacements: Replacements;
  readonly serving: ServingWorkers;
  /** How many of its workers died unasked since it takes requests of clients. */
  crashes = 0;
  /** The last traceback of its application; '' while there is none. */
  traceback = '';
  #release: Release | null = null;

  /** `onReplace` is called when dead workers of the trial must be replaced. */
  constructor(pool: Pool, log: SupervisorLog, counts: WorkerCounts, onReplace: (replacements: Replacements) => void) {
    this.pool = pool;
    this.replacements = new Replacements(() => onReplace(this.replacements));
    this.serving = new ServingWorkers(log, this.replacements, counts);
  }

  /** The release, once it takes requests of clients. */
  get release(): Release | null {
    return this.#release;
  }

  /** Requests of clients come from now on. Those before were probes. */
  begin(release: Release): void {
    this.#release = release;
    this.traceback = '';
    this.pool.outcomes = this.outcomes;
    this.serving.serve(release);
  }

  /** The release never got requests of clients. Probes that wait are refused: no other release may answer them. */
  abandon(): void {
    this.pool.stop();
  }

  /** The `release` of this trial works for `pool` from now on. All that waits for it waits there. */
  join(release: Release, pool: Pool): void {
    pool.resume();
    release.moveTo(pool);
    this.pool.handOver(pool);
  }

  /** The release leaves the trial, and `pool` takes requests again. Those that still come to the pool of the trial go there. */
  end(pool: Pool): void {
    pool.resume();
    this.replacements.cancel();
    this.serving.serve(null);
    this.pool.handOver(pool);
  }
}
