import type { Family } from '../../metrics/family.ts';
import { Histograms } from '../../metrics/histograms.ts';
import type { Worker } from '../../workers/worker.ts';

/** The interval of the measurements in a worker. */
const SAMPLE_MS = 1000;
const BOUNDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** An application with the workers of all its releases. */
export type MeasuredApplication = readonly [name: string, application: { readonly workers: readonly LockedWorker[] }];
type LockedWorker = Pick<Worker, 'state' | 'measureDelay'>;

/** Asks each worker once a second for a sign of life, for which a thread of the worker needs nothing but the interpreter lock. */
export class LockWaits {
  readonly #applications: () => readonly MeasuredApplication[];
  readonly #histograms = new Histograms({
    name: 'viaduct_lock_wait_seconds',
    help: 'How long a thread of a worker waits for the interpreter lock, measured once a second in each worker.',
    unit: 'seconds',
    bounds: BOUNDS,
  });
  readonly #series = new Map<string, number>();
  readonly #timer = setInterval(() => this.#sample(), SAMPLE_MS).unref();

  constructor(applications: () => readonly MeasuredApplication[]) {
    this.#applications = applications;
  }

  #sample(): void {
    for (const [name, { workers }] of this.#applications()) {
      const series = this.#seriesOf(name);
      for (const worker of workers)
        if (worker.state === 'ready') worker.measureDelay((ms) => this.#histograms.observe(series, ms / 1000));
    }
  }

  #seriesOf(application: string): number {
    const series = this.#series.get(application) ?? this.#histograms.add({ application });
    this.#series.set(application, series);
    return series;
  }

  family(): Family {
    for (const [name] of this.#applications()) this.#seriesOf(name);
    return this.#histograms.family();
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
