import type { Request } from '../http/message.ts';
import type { Response } from '../http/response.ts';
import { ApplicationMetrics } from './metrics/application-metrics.ts';
import { Pool } from './pool.ts';
import { poolLog } from './pool-log.ts';
import { newPoolCommon } from './pool-options.ts';
import { Release, type ReleaseEvents } from './release.ts';
import { releaseEvents } from './release-events.ts';
import type { ReleaseOptions } from './release-options.ts';
import { ReleaseTrial } from './release-trial.ts';
import type { Runtime } from './runtime.ts';
import type { SupervisorEvent } from './supervisor-event.ts';
import type { SupervisorOptions } from './supervisor-options.ts';
import { WorkerCounts } from './worker-counts.ts';

/**
 * Makes the releases of one application. All of them report to one supervisor, count in the same counters, and work for
 * the pool of the application; one with a trial first works for a pool of its own. The pools can exchange requests.
 */
export class ReleaseFactory {
  readonly counts = new WorkerCounts();
  /** What the application counts, in all of its processes. */
  readonly metrics: ApplicationMetrics;
  /** The pool of the application. */
  readonly pool: Pool;
  readonly #options: SupervisorOptions;
  readonly #runtime: Runtime;
  readonly #post: (event: SupervisorEvent) => void;
  readonly #common = newPoolCommon();
  readonly #events: ReleaseEvents;
  /** The number of the last release. */
  #last = 0;

  /** `post` gets the events of all releases. */
  constructor(options: SupervisorOptions, runtime: Runtime, post: (event: SupervisorEvent) => void) {
    this.#options = options;
    this.#runtime = runtime;
    this.#post = post;
    this.metrics = new ApplicationMetrics((text) => options.log.warn(text));
    this.pool = this.#newPool();
    this.#events = releaseEvents(options, this.pool, this, post);
  }

  /** Makes the next release with `size` workers, which does not start yet, and its trial if it should have one. */
  create(options: ReleaseOptions, size: number, hasTrial: boolean): { release: Release; trial: ReleaseTrial | null } {
    this.#last += 1;
    const trial = hasTrial ? this.#newTrial() : null;
    const events = trial === null ? this.#events : this.#trialEvents(trial);
    return { release: new Release(this.#last, size, options, this.#runtime, events), trial };
  }

  #newPool(): Pool {
    const { pool, log } = this.#options;
    return new Pool({ ...pool, directory: this.#runtime.spoolDirectory, ...poolLog(log) }, this.#common);
  }

  #newTrial(): ReleaseTrial {
    return new ReleaseTrial(this.#newPool(), this.#options.log, this.counts, (replacements) =>
      this.#post({ kind: 'replace', replacements }),
    );
  }

  /** As the events of other releases, but requests go to the pool of the trial, which also keeps the last traceback. */
  #trialEvents(trial: ReleaseTrial): ReleaseEvents {
    const errorResponse = (traceback: string, request: Request): Response => {
      trial.traceback = traceback;
      return this.#options.errorResponse(traceback, request);
    };
    return releaseEvents({ ...this.#options, errorResponse }, trial.pool, this, this.#post);
  }
}
