import { has, isFlag, isNumber, isText, listOf, nullOr } from './checks.ts';

/** Whether `value` is a `ProcessReport`. */
export function isReport(value: unknown): boolean {
  return has(value, {
    process: (one) =>
      has(one, {
        pid: isNumber,
        state: isText,
        ready: isFlag,
        reasons: listOf(isText),
        connections: isNumber,
        rss_bytes: nullOr(isNumber),
        applications: listOf(isApplication),
      }),
    certificates: listOf((one) => has(one, { file: isText, names: listOf(isText), expires_at: nullOr(isText) })),
    backends: listOf(isRoute),
  });
}

/** Whether `value` is a `RouteBackends`. */
export function isRoute(value: unknown): boolean {
  return has(value, { route: isText, waiting: isNumber, backends: listOf(isBackend) });
}

/** Whether `value` is a `LiveRequest`. */
export function isLiveRequest(value: unknown): boolean {
  return has(value, {
    method: isText,
    host: isText,
    path: isText,
    client: isText,
    priority: isText,
    age_ms: nullOr(isNumber),
    where: isText,
    worker: nullOr(isNumber),
    backend: nullOr(isText),
  });
}

/** Whether `value` is a `WorkerStacks`. */
export function isWorkerStacks(value: unknown): boolean {
  return has(value, { application: isText, worker: isNumber, pid: isNumber, threads: nullOr(listOf(isThread)) });
}

function isThread(value: unknown): boolean {
  return has(value, {
    name: isText,
    lane: nullOr(isNumber),
    stack: isText,
    request: nullOr(isText),
    running_ms: nullOr(isNumber),
  });
}

function isBackend(value: unknown): boolean {
  return has(value, { name: isText, state: isText, active: isNumber });
}

const REFUSALS = {
  queue_max: isNumber,
  queue_delay: isNumber,
  client_queue_delay: isNumber,
  queue_wait_max: isNumber,
  deadline: isNumber,
};
const RELEASE = { number: isNumber, started_at: isText, workers: isNumber };
const TRIAL = { requests: isNumber, failures: isNumber, crashes: isNumber, p50_ms: isNumber, p95_ms: isNumber };

function isApplication(value: unknown): boolean {
  return has(value, {
    name: isText,
    release: nullOr((one) => has(one, RELEASE)),
    trial: nullOr((one) => has(one, { ...RELEASE, ...TRIAL })),
    queue: (one) =>
      has(one, {
        waiting: isNumber,
        waiting_max: isNumber,
        oldest_ms: isNumber,
        expected_wait_ms: isNumber,
        waiting_by_priority: (counts) => has(counts, { high: isNumber, normal: isNumber, low: isNumber }),
        entered: isNumber,
        left: isNumber,
        refused: (counts) => has(counts, REFUSALS),
      }),
    workers: listOf(isWorker),
  });
}

function isWorker(value: unknown): boolean {
  return has(value, {
    number: isNumber,
    pid: isNumber,
    release: isNumber,
    state: isText,
    started_at: isText,
    threads: isNumber,
    threads_busy: isNumber,
    requests_done: isNumber,
    rss_bytes: nullOr(isNumber),
    requests: listOf((one) =>
      has(one, {
        method: isText,
        path: isText,
        client: isText,
        thread: isNumber,
        running_ms: isNumber,
        waits_for_client: isFlag,
      }),
    ),
  });
}
