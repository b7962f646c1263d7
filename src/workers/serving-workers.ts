import type { Release } from './release.ts';
import type { Replacements } from './replacements.ts';
import type { SupervisorLog } from './supervisor-options.ts';
import { nameOf, type Worker } from './worker.ts';
import type { RecycleCause, WorkerCounts } from './worker-counts.ts';

/** A worker to replace. */
export interface Recycle {
  readonly worker: Worker;
  /** Why, for the log: `it has done as many as max_requests allows`. */
  readonly reason: string;
  readonly cause: RecycleCause;
  /** Whether it goes before the others, however many workers are leaving: the worker lacks a thread until then. */
  readonly isUrgent?: boolean;
}

/**
 * Keeps the workers of the serving release at their number. Dead workers are replaced. A worker that is recycled serves
 * until its successor is ready; then it finishes its requests and leaves. One worker is recycled at a time.
 */
export class ServingWorkers {
  readonly #log: SupervisorLog;
  readonly #replacements: Replacements;
  readonly #counts: WorkerCounts;
  #release: Release | null = null;
  /** Workers to recycle, in order. Only the first one and urgent ones can have a successor. */
  #recycles: Recycle[] = [];
  /** Whether a successor could not start. The next attempt is part of the next replacement. */
  #isDelayed = false;

  constructor(log: SupervisorLog, replacements: Replacements, counts: WorkerCounts) {
    this.#log = log;
    this.#replacements = replacements;
    this.#counts = counts;
  }

  /** `release` serves from now on; null for none. It forgets the workers of another one to recycle, because they leave anyway. */
  serve(release: Release | null): void {
    if (release === this.#release) return;
    this.#release = release;
    this.#recycles = [];
    this.#isDelayed = false;
  }

  /** Replaces a ready worker when those before it are replaced. Does nothing for any other worker. */
  recycle(recycle: Recycle): void {
    const { worker, isUrgent = false } = recycle;
    if (this.#release === null || !this.has(worker) || worker.state !== 'ready' || worker.successor !== null) return;
    const others = this.#recycles.filter((other) => other.worker !== worker);
    if (isUrgent) this.#recycles = [recycle, ...others];
    else if (others.length === this.#recycles.length) this.#recycles.push(recycle);
    this.#startSuccessor(this.#release);
  }

  /** Whether the worker belongs to the serving release. */
  has(worker: Worker): boolean {
    return worker.release === this.#release?.number;
  }

  /** Changes the number of workers. `reason` is for the log. */
  resize(size: number, reason: string): void {
    const release = this.#release;
    if (release === null || size === release.size) return;
    this.#log.info(`Workers: ${size} instead of ${release.size}, because ${reason}`);
    release.size = size;
    this.replace();
  }

  /** Restores the number of workers, and tries again what failed. */
  replace(): void {
    const release = this.#release;
    if (release === null) return;
    this.#isDelayed = false;
    this.#attempt(() => release.fill());
    this.#retireSurplus(release);
    this.#startSuccessor(release);
  }

  /** A worker of the serving release is ready. If it is a successor, the other one leaves the pool at the same moment. */
  ready(worker: Worker): void {
    const release = this.#release;
    if (release === null) return;
    const recycle = this.#recycles.find(({ worker: { successor } }) => successor === worker);
    if (recycle !== undefined) {
      const { worker: old, reason, cause } = recycle;
      this.#counts.recycled[cause] += 1;
      this.#log.info(
        `${nameOf(worker)} replaces ${nameOf(old)} after ${old.requests} ${old.requests === 1 ? 'request' : 'requests'}: ${reason}`,
      );
      old.retire(release.options.gracefulTimeoutMs);
    }
    worker.admit();
    this.#retireSurplus(release);
    this.#startSuccessor(release);
  }

  /** A worker of the serving release is dead. */
  gone(worker: Worker): void {
    this.#recycles = this.#recycles.filter((recycle) => recycle.worker !== worker);
    const replaced = this.#recycles.find(({ worker: { successor } }) => successor === worker)?.worker;
    const death = `${nameOf(worker)} died ${worker.death}`;
    if (worker.wasRetired) {
      if (worker.exitCode !== 0 && !worker.brokenFor) this.#log.error(`${death} before it had finished`);
      if (this.#release !== null) this.#startSuccessor(this.#release);
    } else if (replaced !== undefined) {
      replaced.successor = null;
      this.#isDelayed = true;
      const delayMs = this.#replacements.plan(performance.now());
      this.#log.error(
        `${death} at its start; ${nameOf(replaced)} serves on, and its replacement is tried again in ${delayMs} ms`,
      );
    } else {
      const delayMs = this.#replacements.plan(worker.bornMs);
      this.#log.error(`${death}; a new one follows${delayMs === 0 ? '' : ` in ${delayMs} ms`}`);
    }
  }

  /** Forks the successor of the next worker to recycle, unless one is starting or too many workers are still leaving. */
  #startSuccessor(release: Release): void {
    this.#recycles = this.#recycles.filter(({ worker }) => worker.state === 'ready');
    const [next] = this.#recycles;
    if (this.#isDelayed || next === undefined || next.worker.successor !== null) return;
    const leaving = [...release.workers.values()].filter(({ state }) => state === 'retiring').length;
    if (leaving >= release.size && next.isUrgent !== true) return; // so all of them take at most twice the usual memory
    this.#attempt(() => {
      next.worker.successor = release.fork();
    });
  }

  /**
   * Lets workers go that are too many: first those that still start, because the others serve meanwhile, then those that
   * would be recycled, then the newest.
   */
  #retireSurplus(release: Release): void {
    for (let surplus = release.staying.length - release.size; surplus > 0; surplus -= 1) {
      const { staying } = release;
      const isSuccessor = (one: Worker): boolean => this.#recycles.some(({ worker }) => worker.successor === one);
      const starting = staying.filter((one) => one.state === 'starting' && !isSuccessor(one)).at(-1);
      if (starting !== undefined) {
        release.discard(starting);
        continue;
      }
      const ready = staying.filter(({ state }) => state === 'ready');
      const worker = ready.find((one) => this.#recycles.some((recycle) => recycle.worker === one)) ?? ready.at(-1);
      worker?.retire(release.options.gracefulTimeoutMs);
    }
  }

  /** Forks. The private directory may be gone, and then it may be impossible to make another one. */
  #attempt(fork: () => void): void {
    try {
      fork();
    } catch (error) {
      this.#log.error((error as Error).message);
      this.#isDelayed = true;
      this.#replacements.plan(performance.now());
    }
  }
}
