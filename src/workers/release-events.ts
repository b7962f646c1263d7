import { type LoggedPart, requestFields } from '../http/request-id.ts';
import type { ApplicationMetrics } from './metrics/application-metrics.ts';
import type { Overdue } from './overdue.ts';
import type { Pool } from './pool.ts';
import type { ReleaseEvents } from './release.ts';
import type { SupervisorEvent } from './supervisor-event.ts';
import type { SupervisorOptions } from './supervisor-options.ts';
import { nameOf } from './worker.ts';
import type { WorkerCounts } from './worker-counts.ts';

/** What the releases of a supervisor report: `post` gets what it must act on, the log what people should know. */
export function releaseEvents(
  { log, errorResponse, responseBufferBytesMax }: SupervisorOptions,
  pool: Pool,
  { counts, metrics }: { counts: WorkerCounts; metrics: ApplicationMetrics },
  post: (event: SupervisorEvent) => void,
): ReleaseEvents {
  return {
    metrics,
    onLoaded: (release) => post({ kind: 'loaded', release }),
    onBroken: ({ number }, failure) => post({ kind: 'broken', release: number, failure }),
    onWarning: (text) => log.warn(text),
    onHookFailed: (text) => log.error(text),
    onZygoteGone: (release, status) => post({ kind: 'zygote-gone', release, status }),
    onZygoteBroken: (reason) => log.error(`The zygote is killed: ${reason}`),
    onWorkerBroken: (worker, reason) =>
      log.error(`${nameOf(worker)} ${worker.pid === 0 ? 'cannot start' : 'is killed'}: ${reason}`),
    worker: {
      pool,
      responseBufferBytesMax,
      errorResponse,
      onOverdue: (worker, overdue, stack) =>
        log.error(overdueText(overdue, stack), { worker: worker.pid, ...describe(overdue.pending.request) }),
      onStuck: (worker) => {
        const reason = 'a thread did not end a request that took too long';
        post({ kind: 'recycle', recycle: { worker, reason, cause: 'request_timeout_ms', isUrgent: true } });
      },
      onInterrupted: (worker) => {
        const reason = 'a request that took too long was interrupted in it';
        post({ kind: 'recycle', recycle: { worker, reason, cause: 'request_timeout_ms', isUrgent: true } });
      },
      onReady(worker) {
        counts.started += 1;
        post({ kind: 'ready', worker });
      },
      onRequestsMax(worker) {
        const reason = 'it has done as many as max_requests allows';
        post({ kind: 'recycle', recycle: { worker, reason, cause: 'max_requests' } });
      },
      onGone(worker) {
        if (worker.isUnwanted || (worker.wasRetired && worker.exitCode === 0)) counts.finished += 1;
        else counts.died += 1;
        post({ kind: 'gone', worker });
      },
      onImportFailed: ({ release }, failure) => post({ kind: 'broken', release, failure }),
      onLog: (worker, level, text, request) => log[level](text, { worker: worker.pid, ...describe(request) }),
      onOutput: (worker, stream, text, request) => log.info(text, { stream, worker: worker.pid, ...describe(request) }),
    },
  };
}

/** What happened to a request that took too long, and where it was. */
function overdueText({ isStream, queuedMs, ranMs, isAnswered }: Overdue, stack: string): string {
  const times = `${seconds(ranMs)} in Python after ${seconds(queuedMs)} in the queue`;
  const what = isStream
    ? `A response breaks off: its next block did not come in time (${times})`
    : `A request is answered with 504: it took too long (${times})`;
  if (!isAnswered) return `${what}. Its worker does not say where it is: C code holds the interpreter lock`;
  return stack === '' ? what : `${what}. It was here:\n${stack.trimEnd()}`;
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(ms < 10_000 ? 2 : 0)} s`;
}

function describe(request: LoggedPart | null): Record<string, unknown> {
  return request === null ? {} : requestFields(request);
}
