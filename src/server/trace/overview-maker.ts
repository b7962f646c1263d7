import { type Family, isHistogram, type MetricSample, withSamples } from '../../metrics/family.ts';
import type { Overview, OverviewBackend, OverviewWorker } from '../../trace/overview.ts';
import type { ServerStatus } from '../status.ts';
import { type Buckets, bucketsOf, difference, maxOf, meanOf, NO_BUCKETS, quantileOf } from './histogram-window.ts';
import type { Traces } from './traces.ts';

/** What an overview is made from. */
export interface OverviewSource {
  readonly version: string;
  /** ISO 8601. */
  readonly startedAt: string;
  status(): Promise<ServerStatus>;
  /** Null while the server starts, or if it counts nothing. */
  metrics(): Promise<readonly Family[] | null>;
  readonly traces: Traces;
}

/** What is counted since the start, at one moment. */
interface Counts {
  readonly atMs: number;
  readonly requests: number;
  readonly errors: number;
  readonly duration: Buckets;
  readonly queue: Buckets;
  readonly eventLoop: Buckets;
}

/** Two looks must be so far apart for a rate. */
const RATE_MS_MIN = 900;
const WINDOW_MS = 60_000;
/** From so many traces the own share is known. */
const SHARE_TRACES = 200;

const NOTHING: Counts = {
  atMs: 0,
  requests: 0,
  errors: 0,
  duration: NO_BUCKETS,
  queue: NO_BUCKETS,
  eventLoop: NO_BUCKETS,
};

/** Makes overviews. Nothing runs while nobody asks: rates are those between two times that somebody looks. */
export class OverviewMaker {
  readonly #source: OverviewSource;
  /** Counts of the last minute, the oldest first, at most one a second. */
  readonly #window: Counts[] = [];

  constructor(source: OverviewSource) {
    this.#source = source;
  }

  async make(): Promise<Overview> {
    const { version, startedAt, traces } = this.#source;
    const [status, metrics, trace, kept] = await Promise.all([
      this.#source.status(),
      this.#source.metrics(),
      traces.usage(),
      traces.list({ limit: SHARE_TRACES }),
    ]);
    const families = new Map((metrics ?? []).map((family) => [family.name, family]));
    const now = countsOf(families);
    this.#begin(now.atMs, Date.now() - Date.parse(startedAt));
    const last = this.#window.findLast(({ atMs }) => now.atMs - atMs >= RATE_MS_MIN) ?? null;
    const oldest = this.#window[0] ?? NOTHING;
    this.#keep(now);
    const perSecond = (change: number): number =>
      last === null ? 0 : Math.max(0, (change * 1000) / (now.atMs - last.atMs));
    const recent = difference(now.duration, oldest.duration);
    const waited = difference(now.queue, oldest.queue);
    const delays = difference(now.eventLoop, (last ?? oldest).eventLoop);
    const known = kept.filter(({ durationUs, ownUs }) => durationUs !== null && ownUs >= 0);
    const totalUs = known.reduce((sum, { durationUs }) => sum + (durationUs ?? 0), 0);
    const ownUs = known.reduce((sum, one) => sum + one.ownUs, 0);
    const applications = status.processes.flatMap((process) => process.applications);
    return {
      at: new Date().toISOString(),
      server: {
        version,
        startedAt,
        urls: status.urls,
        processes: status.processes.length,
        connections: status.processes.reduce((sum, { connections }) => sum + connections, 0),
        rssBytes: status.processes.reduce((sum, { rss_bytes }) => sum + (rss_bytes ?? 0), 0) || null,
      },
      counted: metrics !== null,
      rates: {
        requests: perSecond(now.requests - (last?.requests ?? 0)),
        errors: perSecond(now.errors - (last?.errors ?? 0)),
      },
      latency: {
        boundsMs: recent.bounds.map((bound) => bound * 1000),
        counts: recent.counts,
        p50Ms: quantileOf(recent, 0.5) * 1000,
        p99Ms: quantileOf(recent, 0.99) * 1000,
      },
      queue: {
        waiting: applications.reduce((sum, { queue }) => sum + queue.waiting, 0),
        p50Ms: quantileOf(waited, 0.5) * 1000,
        p99Ms: quantileOf(waited, 0.99) * 1000,
      },
      eventLoop: { meanMs: meanOf(delays) * 1000, maxMs: maxOf(delays) * 1000 },
      workers: workersOf(status, lockWaits(families)),
      backends: backendsOf(status, families),
      cache: families.has(CACHE) ? { bytes: total(families, CACHE) } : null,
      certificates: status.certificates.map(({ names, expires_at }) => ({ names, validTo: expires_at })),
      trace,
      ownShare: totalUs === 0 ? null : ownUs / totalUs,
    };
  }

  /** A server that started less than a minute ago had counted nothing then: what came before the first look is of the last minute, too. */
  #begin(nowMs: number, uptimeMs: number): void {
    const isNew = uptimeMs >= 0 && uptimeMs <= WINDOW_MS;
    if (this.#window.length === 0 && isNew) this.#window.push({ ...NOTHING, atMs: nowMs - uptimeMs });
  }

  #keep(counts: Counts): void {
    const last = this.#window.at(-1);
    if (last !== undefined && counts.atMs - last.atMs < RATE_MS_MIN) return;
    this.#window.push(counts);
    while (this.#window.length > 1 && counts.atMs - (this.#window[0] as Counts).atMs > WINDOW_MS) this.#window.shift();
  }
}

type Families = ReadonlyMap<string, Family>;

const CACHE = 'viaduct_static_cache_bytes';
const DURATION = 'http_server_request_duration_seconds';

function countsOf(families: Families): Counts {
  const duration = bucketsOf(families.get(DURATION));
  const failed = bucketsOf(families.get(DURATION), ({ http_response_status_class: status }) => status === '5xx');
  return {
    atMs: performance.now(),
    requests: duration.counts.reduce((sum, count) => sum + count, 0),
    errors: failed.counts.reduce((sum, count) => sum + count, 0),
    duration,
    queue: bucketsOf(families.get('viaduct_queue_wait_seconds')),
    eventLoop: bucketsOf(families.get('nodejs_eventloop_delay_seconds')),
  };
}

function samplesOf(families: Families, name: string): readonly MetricSample[] {
  const family = families.get(name);
  return family === undefined || isHistogram(family) ? [] : withSamples(family).samples;
}

function total(families: Families, name: string): number {
  return samplesOf(families, name).reduce((sum, { value }) => sum + value, 0);
}

/** By application and start of the worker, in milliseconds since 1970: the labels of metrics do not have the number. */
function lockWaits(families: Families): ReadonlyMap<string, number> {
  const keyOf = ({ application, slot, process }: MetricSample['labels']): string => `${process} ${slot} ${application}`;
  const waits = new Map(
    samplesOf(families, 'viaduct_worker_lock_wait_seconds').map(({ labels, value }) => [keyOf(labels), value * 1000]),
  );
  return new Map(
    samplesOf(families, 'viaduct_worker_start_time_seconds').map(({ labels, value }) => [
      `${Math.round(value * 1000)} ${labels.application}`,
      waits.get(keyOf(labels)) ?? 0,
    ]),
  );
}

function workersOf({ processes }: ServerStatus, waits: ReadonlyMap<string, number>): OverviewWorker[] {
  return processes.flatMap(({ applications }) =>
    applications.flatMap(({ name: application, workers }) =>
      workers.map(({ number, pid, state, requests, requests_done, rss_bytes, started_at }): OverviewWorker => {
        const [first] = requests;
        return {
          number,
          pid,
          application,
          state,
          request: first === undefined ? null : `${first.method} ${first.path}`,
          ageMs: first?.running_ms ?? null,
          done: requests_done,
          rssBytes: rss_bytes,
          gilWaitMs: waits.get(`${Date.parse(started_at)} ${application}`) ?? null,
        };
      }),
    ),
  );
}

function backendsOf({ backends }: ServerStatus, families: Families): OverviewBackend[] {
  const countOf = (name: string, backend: string, route: string): number =>
    samplesOf(families, name)
      .filter(({ labels }) => labels.backend === backend && (labels.http_route ?? '') === route)
      .reduce((sum, { value }) => sum + value, 0);
  return backends.flatMap(({ route, backends: listed }) =>
    listed.map(({ name, state, active }) => ({
      name,
      state,
      active,
      requests: countOf('viaduct_backend_requests', name, route),
      failures: countOf('viaduct_backend_failures', name, route),
    })),
  );
}
