import type { Outcomes } from './outcomes.ts';
import type { Pool } from './pool.ts';
import { RecentOutcomes } from './recent-outcomes.ts';
import type { Release } from './release.ts';
import type { ReleaseTrial } from './release-trial.ts';
import { Replacements } from './replacements.ts';
import { ServingWorkers } from './serving-workers.ts';
import type { SupervisorLog } from './supervisor-options.ts';
import { Upkeep, type UpkeepEvents } from './upkeep.ts';
import type { WorkerCounts } from './worker-counts.ts';

export interface ServingEvents extends UpkeepEvents {
  /** Workers, or a whole release, that have died must be replaced. */
  readonly onReplace: (replacements: Replacements) => void;
}

/**
 * The place of the release that serves, which may be empty: after a stop, and while a dead zygote is replaced. What
 * looks after the release follows it: its workers are kept at their number, and the outcomes of its requests counted.
 */
export class ServingRelease {
  readonly #upkeep: Upkeep;
  readonly #recent: RecentOutcomes;
  #replacements: Replacements;
  #workers: ServingWorkers;
  #release: Release | null = null;
  #hasServed = false;
  /** How many workers the last release had. */
  #size = 0;

  constructor(pool: Pool, log: SupervisorLog, counts: WorkerCounts, events: ServingEvents) {
    this.#upkeep = new Upkeep(pool, events);
    this.#recent = new RecentOutcomes(pool);
    const replacements = new Replacements(() => events.onReplace(replacements));
    this.#replacements = replacements;
    this.#workers = new ServingWorkers(log, replacements, counts);
  }

  /** Null while none serves. */
  get release(): Release | null {
    return this.#release;
  }

  /** Whether any release has served. From then on, one that fails is followed by another. */
  get hasServed(): boolean {
    return this.#hasServed;
  }

  /** How many workers the release has, or the last one had; 0 before the first one. */
  get size(): number {
    return this.#release?.size ?? this.#size;
  }

  /** When its dead processes are replaced. */
  get replacements(): Replacements {
    return this.#replacements;
  }

  /** What keeps its workers at their number. */
  get workers(): ServingWorkers {
    return this.#workers;
  }

  /** How the latest requests ended. */
  recentOutcomes(): Outcomes {
    return this.#recent.total();
  }

  /** `release` serves from now on; null for none. */
  set(release: Release | null): void {
    this.#size = this.size;
    this.#hasServed ||= release !== null;
    this.#release = release;
    this.#workers.serve(release);
    this.#upkeep.watch(release);
    if (release === null) this.#recent.stop();
    else this.#recent.restart(release.options.watchMs ?? 0);
  }

  /** The release of `trial` is about to be set. What the trial knows of its workers, such as those that must be replaced, stays known. */
  takeOver({ serving, replacements }: ReleaseTrial): void {
    this.#replacements.cancel();
    this.#replacements = replacements;
    this.#workers = serving;
  }

  /** Another release takes requests meanwhile. This one stays as large as it is, although it may have nothing to do. */
  hold(): void {
    this.#recent.hold();
    this.#upkeep.watch(null);
  }

  /** Ends a `hold`. */
  resume(): void {
    this.#recent.resume();
    this.#upkeep.watch(this.#release);
  }

  /** Looks after nothing any more. */
  stop(): void {
    this.#replacements.cancel();
    this.#upkeep.watch(null);
    this.#recent.stop();
  }
}
