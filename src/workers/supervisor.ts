import type { Socket } from 'node:net';
import type { ViaductError } from '../errors.ts';
import type { ApplicationMetrics } from './metrics/application-metrics.ts';
import type { Pool } from './pool.ts';
import { ReleaseFactory } from './release-factory.ts';
import type { ReleaseOptions } from './release-options.ts';
import type { Hello, Runtime } from './runtime.ts';
import type { ServingRelease } from './serving-release.ts';
import type { Recycle } from './serving-workers.ts';
import { destroyed } from './start-failures.ts';
import { Succession } from './succession.ts';
import type { SupervisorEvent } from './supervisor-event.ts';
import type { SupervisorOptions } from './supervisor-options.ts';
import type { WorkerCounts } from './worker-counts.ts';

/** Which releases of an application there are. */
export interface SuccessionState
  extends Readonly<Pick<Succession, 'isPrepared' | 'trial' | 'trialFailure' | 'releases'>> {
  readonly serving: Pick<ServingRelease, 'release' | 'hasServed' | 'recentOutcomes'>;
}

/**
 * Keeps an application's workers alive. What happens to its releases, and what is asked of it, are events in one queue.
 * Each is handled by `Succession` when the one before it is.
 */
export class Supervisor {
  readonly #factory: ReleaseFactory;
  readonly #succession: Succession;
  readonly #events: SupervisorEvent[] = [];
  #stepping = false;
  #destroyed = false;

  constructor(options: SupervisorOptions, runtime: Runtime) {
    const post = (event: SupervisorEvent): void => this.#post(event);
    this.#factory = new ReleaseFactory(options, runtime, post);
    this.#succession = new Succession(options, this.#factory, post);
  }

  get pool(): Pool {
    return this.#factory.pool;
  }

  get counts(): WorkerCounts {
    return this.#factory.counts;
  }

  /** What the application counts, in all of its processes. */
  get metrics(): ApplicationMetrics {
    return this.#factory.metrics;
  }

  /** Which releases there are. */
  get succession(): SuccessionState {
    return this.#succession;
  }

  /**
   * Starts a release beside the current one. Resolves when all its workers are ready. With `commits` it then serves;
   * otherwise `commit` or `abandon` must follow. When the start fails, the current release continues to serve. New
   * `options` apply to this and later releases, unless the start fails.
   *
   * @throws ViaductError `APPLICATION_BROKEN` with the traceback as `cause`, `WORKER` when the processes do not start.
   */
  startRelease(options: ReleaseOptions | null = null, commits = true): Promise<void> {
    return new Promise((resolve, reject) =>
      this.#post({ kind: 'start', options, commits, outcome: { resolve, reject } }),
    );
  }

  /**
   * Lets the pool of the prepared release, which must have a trial, get requests of clients. Its dead workers are replaced. The current
   * release stays as it is until `commit` or `abandon`, which must follow. If all of the new release dies, it is abandoned.
   */
  tryOut(): void {
    this.#post({ kind: 'try-out' });
  }

  /** Lets the release that is prepared or tried out serve, and retires the current one. */
  commit(): void {
    this.#post({ kind: 'commit' });
  }

  /**
   * Ends the release that starts, is prepared or is tried out, if there is one. Its start fails with `error`. One that was tried out
   * finishes its requests; those that wait for it go to the current release.
   */
  abandon(error: ViaductError): void {
    this.#post({ kind: 'abandon', error });
  }

  /**
   * Replaces a worker of the serving release. It serves until its successor is ready; then it finishes its requests and
   * ends. Workers are replaced one at a time, urgent ones first, in the order of these calls. A reload or stop meanwhile
   * wins.
   */
  recycle(recycle: Recycle): void {
    this.#post({ kind: 'recycle', recycle });
  }

  /**
   * Changes the number of workers of the serving release, also beyond its options. `reason` is for the log. The next
   * release has as many, if its options allow; one that follows a dead zygote has as many in any case.
   */
  resize(size: number, reason: string): void {
    this.#post({ kind: 'resize', size, reason });
  }

  /** Lets running requests finish and ends all processes. */
  stop(): Promise<void> {
    return new Promise((resolve) => this.#post({ kind: 'stop', stopped: resolve }));
  }

  /** Ends all processes now. Nothing can be started any more, and other events are ignored. */
  destroy(): void {
    this.#destroyed = true;
    this.#succession.destroy();
    this.metrics.close();
  }

  /** Accepts a connection from one of the Python processes. After `destroy` they are about to end, and it is closed. */
  attach(hello: Hello, socket: Socket): void {
    const release = this.#destroyed
      ? undefined
      : this.#succession.releases.find(({ number }) => number === hello.release);
    const worker = hello.kind === 'zygote' ? undefined : release?.workers.get(hello.worker);
    if (hello.kind === 'zygote' && release !== undefined) release.attachZygote(socket);
    else if (hello.kind === 'worker' && worker !== undefined) worker.attachControl(socket, hello.pid);
    else if (hello.kind === 'lane' && worker !== undefined) worker.attachLane(socket, hello.index);
    else socket.destroy();
  }

  #post(event: SupervisorEvent): void {
    if (this.#destroyed) {
      settle(event);
      return;
    }
    this.#events.push(event);
    if (this.#stepping) return;
    this.#stepping = true;
    for (let next = this.#events.shift(); next !== undefined; next = this.#events.shift())
      this.#succession.handle(next);
    this.#stepping = false;
  }
}

/** After the end of everything, nobody may wait for an event. */
function settle(event: SupervisorEvent): void {
  if (event.kind === 'start') event.outcome.reject(destroyed());
  else if (event.kind === 'stop') event.stopped();
}
