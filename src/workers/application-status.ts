import type { Priority } from '../http/message.ts';
import type { PendingRequest } from './pending-request.ts';
import type { Pool } from './pool.ts';
import type { Release } from './release.ts';
import type { ReleaseTrial } from './release-trial.ts';
import { residentBytes } from './resident-memory.ts';
import type { Worker } from './worker.ts';

/** One Python application, for people and for programs that watch the server: it is sent as JSON, as it is. Times are ISO 8601. */
export interface ApplicationStatus {
  readonly name: string;
  /** The release that serves; null while none does. */
  readonly release: ReleaseStatus | null;
  /** A new release that takes requests beside it until it has proved itself; null while there is none. */
  readonly trial: TrialStatus | null;
  readonly queue: QueueStatus;
  /** The workers of all releases: of the one that serves, of one that starts, and of those that finish their requests. */
  readonly workers: readonly WorkerStatus[];
}

export interface ReleaseStatus {
  /** From 1 for the first one since the start of the server process. */
  readonly number: number;
  readonly started_at: string;
  /** How many workers it should have. */
  readonly workers: number;
}

export interface TrialStatus extends ReleaseStatus {
  /** How many requests it has answered. */
  readonly requests: number;
  /** How many of them with a status of 500 or more. */
  readonly failures: number;
  /** How many of its workers died unasked. */
  readonly crashes: number;
  /** The time in the queue and in Python that half of the requests, and 95 % of them, did not exceed; 0 without requests. */
  readonly p50_ms: number;
  readonly p95_ms: number;
}

export interface QueueStatus {
  readonly waiting: number;
  readonly waiting_max: number;
  /** How long the request has waited that came first. */
  readonly oldest_ms: number;
  /** How long a request would wait that came now, from the rate at which requests leave the queue. */
  readonly expected_wait_ms: number;
  /** How many wait by their priorities. */
  readonly waiting_by_priority: Readonly<Record<Priority, number>>;
  /** How many have waited since the start of the server process. */
  readonly entered: number;
  /** How many clients left while their requests waited. */
  readonly left: number;
  /** How many were refused, by the limit that they exceeded. */
  readonly refused: QueueRefusals;
}

export interface QueueRefusals {
  readonly queue_max: number;
  readonly queue_delay: number;
  /** As `queue_delay`, for a client that asked for more than its share. */
  readonly client_queue_delay: number;
  readonly queue_wait_max: number;
  readonly deadline: number;
}

export interface WorkerStatus {
  readonly number: number;
  readonly pid: number;
  readonly release: number;
  /** See `Worker.state`. */
  readonly state: 'starting' | 'ready' | 'retiring' | 'gone';
  readonly started_at: string;
  readonly threads: number;
  readonly threads_busy: number;
  readonly requests_done: number;
  /** Resident memory; null where the system does not tell. */
  readonly rss_bytes: number | null;
  /** The requests that its threads run, the oldest first. */
  readonly requests: readonly RunningRequest[];
}

export interface RunningRequest {
  readonly method: string;
  /** Without the query, which may have secrets. */
  readonly path: string;
  /** Numeric address of the client; '' on a Unix socket. */
  readonly client: string;
  /** From 0. */
  readonly thread: number;
  /** How long the thread has had it. */
  readonly running_ms: number;
  /** Whether the thread waits for the client, which reads a long response too slowly. */
  readonly waits_for_client: boolean;
}

/** `nowMs` is `performance.now()`. */
export function workerStatus(worker: Worker, nowMs: number): WorkerStatus {
  const { number, pid, release, state, lanes, requests, bornMs, threads } = worker;
  const running = lanes.flatMap((lane) => {
    const [first] = lane.inflight;
    return first === undefined ? [] : [runningRequest(first, lane.index, nowMs - lane.headSinceMs)];
  });
  return {
    number,
    pid,
    release,
    state,
    started_at: timeOf(bornMs),
    threads,
    threads_busy: running.length,
    requests_done: requests,
    rss_bytes: residentBytes(pid) || null,
    requests: running.toSorted((a, b) => b.running_ms - a.running_ms),
  };
}

/** `waiting` are the requests that wait for `pool`, and for a release on trial. */
export function queueStatus(pool: Pool, waiting: readonly PendingRequest[], nowMs: number): QueueStatus {
  const { waitingMax, expectedWaitMs } = pool;
  const { entered, left, shed } = pool.queueCounters;
  const byPriority = { high: 0, normal: 0, low: 0 };
  let oldestMs = nowMs;
  for (const { queuedAtMs, request } of waiting) {
    oldestMs = Math.min(oldestMs, queuedAtMs);
    byPriority[request.priority ?? 'normal'] += 1;
  }
  return {
    waiting: waiting.length,
    waiting_max: waitingMax,
    oldest_ms: Math.round(nowMs - oldestMs),
    expected_wait_ms: Math.round(expectedWaitMs),
    waiting_by_priority: byPriority,
    entered,
    left,
    refused: {
      queue_max: shed.queueMax,
      queue_delay: shed.queueDelay,
      client_queue_delay: shed.clientQueueDelay,
      queue_wait_max: shed.queueWaitMax,
      deadline: shed.deadline,
    },
  };
}

export function releaseStatus({ number, bornMs, size }: Release): ReleaseStatus {
  return { number, started_at: timeOf(bornMs), workers: size };
}

export function trialStatus(release: Release, { outcomes, crashes }: ReleaseTrial): TrialStatus {
  const { requests, failures } = outcomes;
  const [p50_ms, p95_ms] = [0.5, 0.95].map((quantile) => Math.round(outcomes.timeMs(quantile)));
  return { ...releaseStatus(release), requests, failures, crashes, p50_ms: p50_ms ?? 0, p95_ms: p95_ms ?? 0 };
}

/** The time of a `performance.now()`. */
export function timeOf(ms: number): string {
  return new Date(performance.timeOrigin + ms).toISOString();
}

function runningRequest({ request, stream }: PendingRequest, thread: number, ms: number): RunningRequest {
  const { method, path, peer } = request;
  return {
    method,
    path,
    client: peer.remoteAddress,
    thread,
    running_ms: Math.max(0, Math.round(ms)),
    waits_for_client: stream?.isHeld ?? false,
  };
}
