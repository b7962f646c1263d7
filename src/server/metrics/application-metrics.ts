import type { Family } from '../../metrics/family.ts';
import type { ApplicationServer } from '../../workers/application-server.ts';
import type { ApplicationStatus, WorkerStatus } from '../../workers/application-status.ts';
import { counter, gauge } from './gauges.ts';
import { WorkerSlots } from './worker-slots.ts';

const STATES = ['starting', 'ready', 'retiring'] as const;

/** The Python applications as metrics: what `viaduct status` shows of them, and what has happened to their workers. */
export class ApplicationMetrics {
  /** By application. */
  readonly #slots = new Map<string, WorkerSlots>();

  families(
    statuses: readonly ApplicationStatus[],
    applications: readonly (readonly [name: string, application: ApplicationServer])[],
  ): Family[] {
    const delays = new Map(
      applications.flatMap(([, { workers }]) => workers.map(({ number, delayMs }) => [number, delayMs] as const)),
    );
    return [...queueFamilies(statuses), ...this.#workerFamilies(statuses, delays), ...countFamilies(applications)];
  }

  /** `delays` are those of `Worker.delayMs` by the number of the worker. */
  #workerFamilies(statuses: readonly ApplicationStatus[], delays: ReadonlyMap<number, number>): Family[] {
    const workers = statuses.flatMap(({ name, workers }) => {
      const slots = this.#slots.get(name) ?? new WorkerSlots();
      this.#slots.set(name, slots);
      const numbers = slots.assign(workers.map(({ number }) => number));
      return workers.map((worker, index) => ({ labels: { application: name, slot: `${numbers[index]}` }, worker }));
    });
    const each = (numberOf: (worker: WorkerStatus) => number | null) =>
      workers.flatMap(({ labels, worker }) => {
        const value = numberOf(worker);
        return value === null ? [] : [[labels, value] as const];
      });
    const combine = 'each' as const;
    return [
      gauge(
        { name: 'viaduct_workers', help: 'Workers by state.' },
        statuses.flatMap(({ name, workers: all }) =>
          STATES.map(
            (state) => [{ application: name, state }, all.filter((worker) => worker.state === state).length] as const,
          ),
        ),
      ),
      gauge(
        { name: 'viaduct_workers_wanted', help: 'How many workers there should be.' },
        statuses.map(({ name, release }) => [{ application: name }, release?.workers ?? 0]),
      ),
      gauge(
        { name: 'viaduct_worker_threads', help: 'Threads of a worker.', combine },
        each(({ threads }) => threads),
      ),
      gauge(
        { name: 'viaduct_worker_busy_threads', help: 'Threads of a worker that run a request.', combine },
        each((worker) => worker.threads_busy),
      ),
      counter(
        {
          name: 'viaduct_worker_requests',
          help: 'Requests that a worker has done; 0 again for its successor.',
          combine,
        },
        each((worker) => worker.requests_done),
      ),
      gauge(
        {
          name: 'viaduct_worker_resident_memory_bytes',
          help: 'Resident memory of a worker, with the pages that it shares with others.',
          unit: 'bytes',
          combine,
        },
        each((worker) => worker.rss_bytes),
      ),
      gauge(
        {
          name: 'viaduct_worker_lock_wait_seconds',
          help: 'How long a thread of the worker waited last that needs nothing but the interpreter lock.',
          unit: 'seconds',
          combine,
        },
        each(({ number }) => (delays.get(number) ?? 0) / 1000),
      ),
      gauge(
        {
          name: 'viaduct_worker_start_time_seconds',
          help: 'When a worker was forked, in seconds since 1970.',
          unit: 'seconds',
          combine,
        },
        each((worker) => Date.parse(worker.started_at) / 1000),
      ),
    ];
  }
}

function queueFamilies(statuses: readonly ApplicationStatus[]): Family[] {
  const each = (numberOf: (queue: ApplicationStatus['queue']) => number) =>
    statuses.map(({ name, queue }) => [{ application: name }, numberOf(queue)] as const);
  const unit = 'seconds';
  return [
    gauge(
      { name: 'viaduct_queue_requests', help: 'Requests that wait for a worker.' },
      each(({ waiting }) => waiting),
    ),
    gauge(
      { name: 'viaduct_queue_requests_limit', help: 'How many requests may wait for a worker.' },
      each((queue) => queue.waiting_max),
    ),
    gauge(
      { name: 'viaduct_queue_oldest_seconds', help: 'How long the first request has waited.', unit, combine: 'max' },
      each((queue) => queue.oldest_ms / 1000),
    ),
    gauge(
      {
        name: 'viaduct_queue_expected_wait_seconds',
        help: 'How long a request would wait that comes now.',
        unit,
        combine: 'max',
      },
      each((queue) => queue.expected_wait_ms / 1000),
    ),
  ];
}

function countFamilies(applications: readonly (readonly [name: string, application: ApplicationServer])[]): Family[] {
  const counts = applications.map(([application, { workerCounts }]) => ({ application, ...workerCounts }));
  return [
    counter(
      { name: 'viaduct_queue_clients_left', help: 'Requests that left the queue because their clients had left.' },
      applications.map(([application, { leftWaiting }]) => [{ application }, leftWaiting]),
    ),
    counter(
      { name: 'viaduct_worker_starts', help: 'Workers that became ready.' },
      counts.map(({ application, started }) => [{ application }, started]),
    ),
    counter(
      {
        name: 'viaduct_worker_exits',
        help: 'Workers that ended: as they were told to (finished), or otherwise (died).',
      },
      counts.flatMap(({ application, finished, died }) => [
        [{ application, outcome: 'finished' }, finished] as const,
        [{ application, outcome: 'died' }, died] as const,
      ]),
    ),
    counter(
      { name: 'viaduct_worker_recycles', help: 'Workers that were replaced, by the setting that asked for it.' },
      counts.flatMap(({ application, recycled }) =>
        Object.entries(recycled).map(([reason, count]) => [{ application, reason }, count] as const),
      ),
    ),
  ];
}
