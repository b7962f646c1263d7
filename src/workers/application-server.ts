import { ViaductError } from '../errors.ts';
import type { Handler } from '../http/handler.ts';
import { type ApplicationStatus, queueStatus, releaseStatus, trialStatus, workerStatus } from './application-status.ts';
import type { ApplicationFamily } from './metrics/application-metrics.ts';
import { collectMetrics } from './metrics/collect-metrics.ts';
import type { PendingRequest } from './pending-request.ts';
import type { QueueCounters } from './queue-counters.ts';
import type { ReleaseOptions } from './release-options.ts';
import { Runtime } from './runtime.ts';
import { Supervisor } from './supervisor.ts';
import type { SupervisorOptions } from './supervisor-options.ts';
import type { Comparison } from './verdict.ts';
import type { Worker } from './worker.ts';
import type { WorkerCounts } from './worker-counts.ts';

/** How busy an application is. */
export interface Load {
  /** Number of workers that take requests. */
  readonly workers: number;
  /** Number of requests that wait for a worker. */
  readonly waiting: number;
  /** How many may wait. */
  readonly waitingMax: number;
}

/** How a release on trial does, beside the serving one. */
export interface TrialReport extends Comparison {
  /** The last traceback of its application; '' without one. */
  readonly traceback: string;
  /** Whether no other release is there any more. A new application has had none. */
  readonly isAlone: boolean;
}

/** The application server: one Python application with its pool of workers. The constructor starts nothing. */
export class ApplicationServer {
  readonly #runtime: Runtime;
  readonly #supervisor: Supervisor;
  #opened = false;

  constructor(options: SupervisorOptions) {
    this.#runtime = new Runtime({
      onHello: (hello, socket) => this.#supervisor.attach(hello, socket),
      onError: (message) => options.log.error(message),
    });
    this.#supervisor = new Supervisor(options, this.#runtime);
  }

  /** The last handler of a chain. */
  get handle(): Handler {
    return this.#supervisor.pool.handle;
  }

  /**
   * The last handler of a chain for the release that is prepared. Without a trial it is `handle`. Otherwise it leads to that release alone
   * until `commit` or `abandon`, and then to the release that serves.
   */
  get preparedHandle(): Handler {
    return (this.#supervisor.succession.trial?.pool ?? this.#supervisor.pool).handle;
  }

  /** The trial of the release that is prepared or tried out, compared with the serving release; null if there is none. */
  get trial(): TrialReport | null {
    const { trial, serving } = this.#supervisor.succession;
    if (trial === null) return null;
    const { outcomes: after, crashes, traceback } = trial;
    const isAlone = serving.hasServed && serving.release === null;
    return { before: serving.recentOutcomes(), after, crashes, traceback, isAlone };
  }

  /** Why the last release that was tried out ended; null while it has not. */
  get trialFailure(): ViaductError | null {
    return this.#supervisor.succession.trialFailure;
  }

  get load(): Load {
    const { pool, succession } = this.#supervisor;
    const { serving, trial } = succession;
    const all = [serving.release, trial?.release].flatMap((one) => [...(one?.workers.values() ?? [])]);
    const workers = all.filter(({ state }) => state === 'ready').length;
    return { workers, waiting: pool.waiting + (trial?.pool.waiting ?? 0), waitingMax: pool.waitingMax };
  }

  status(name: string): ApplicationStatus {
    const { pool, succession } = this.#supervisor;
    const { releases, trial } = succession;
    const { release } = succession.serving;
    const now = performance.now();
    return {
      name,
      release: release === null ? null : releaseStatus(release),
      trial: trial === null || trial.release === null ? null : trialStatus(trial.release, trial),
      queue: queueStatus(pool, [...this.waitingRequests()], now),
      workers: releases.flatMap(({ workers }) => [...workers.values()].map((worker) => workerStatus(worker, now))),
    };
  }

  /** What has happened to workers so far. */
  get workerCounts(): WorkerCounts {
    return this.#supervisor.counts;
  }

  /** How many requests left the queue because their clients had left. */
  get leftWaiting(): number {
    return this.#supervisor.pool.queueCounters.left;
  }

  /**
   * The metrics that the application counts with `prometheus_client`, merged over its processes; none unless
   * `applicationMetrics` is on. Counts stay over a reload and the end of a worker. Never rejects.
   */
  metrics(): Promise<ApplicationFamily[]> {
    const { metrics, succession } = this.#supervisor;
    return collectMetrics({ release: succession.serving.release, metrics });
  }

  /** The workers of all releases. */
  get workers(): readonly Worker[] {
    return this.#supervisor.succession.releases.flatMap(({ workers }) => [...workers.values()]);
  }

  /**
   * Changes the number of workers until the next reload, which returns to the options. Returns whether a release serves;
   * nothing changes without one.
   */
  scale(workers: number): boolean {
    if (this.#supervisor.succession.serving.release === null) return false;
    this.#supervisor.resize(workers, 'a command asked for it');
    return true;
  }

  /** What became of requests that waited, or were not allowed to. */
  get queueCounters(): Readonly<QueueCounters> {
    return this.#supervisor.pool.queueCounters;
  }

  /** The requests that wait for a worker. */
  waitingRequests(): Iterable<PendingRequest> {
    const { pool, succession } = this.#supervisor;
    const { trial } = succession;
    return [...pool.waitingRequests(), ...(trial?.pool.waitingRequests() ?? [])];
  }

  /**
   * Starts the zygote and the workers, which serve when all of them are ready.
   *
   * @throws ViaductError `APPLICATION_BROKEN` with the traceback as `cause`, `WORKER` when Python does not start,
   * `USAGE` when there is no place for private files.
   */
  async start(): Promise<void> {
    await this.prepare();
    this.commit();
  }

  /**
   * Starts a new release while the old one serves. The old release serves until the new one is ready, and continues
   * when the start fails. An earlier release that is still starting is ended.
   */
  reload(): Promise<void> {
    this.abandon(replacedError());
    return this.#supervisor.startRelease();
  }

  /**
   * Starts a release with these options, by default those of the last one. Resolves when it is ready. `commit` or
   * `abandon` must follow.
   *
   * @throws as `start` does
   */
  async prepare(release: ReleaseOptions | null = null): Promise<void> {
    if (!this.#opened) await this.#runtime.open();
    this.#opened = true;
    await this.#supervisor.startRelease(release, false);
  }

  /** Lets the prepared release, which must have a trial, take requests of clients by `preparedHandle`. The serving one stays. */
  tryOut(): void {
    this.#supervisor.tryOut();
  }

  /** Whether `commit` can succeed. It cannot if a worker of the prepared release has died meanwhile, or if the trial has ended. */
  get isPrepared(): boolean {
    return this.#supervisor.succession.isPrepared;
  }

  /** The release that is prepared or tried out serves from now on. */
  commit(): void {
    this.#supervisor.commit();
  }

  /** Ends a release that starts, is prepared or is tried out; its start fails with `error`. */
  abandon(error: ViaductError): void {
    this.#supervisor.abandon(error);
  }

  /** Lets running requests finish, then ends all processes. */
  async stop(): Promise<void> {
    await this.#supervisor.stop();
    this.#supervisor.metrics.close();
    this.#runtime.close();
  }

  /** Ends all processes at once. */
  destroy(): void {
    this.#supervisor.destroy();
    this.#runtime.close();
  }
}

/** Why a release that starts is ended when another reload is wanted. */
export function replacedError(): ViaductError {
  return new ViaductError('WORKER', 'Cannot start the application: a later reload replaces this one');
}
