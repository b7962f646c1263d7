import type { PendingRequest } from './pending-request.ts';
import type { Pool } from './pool.ts';
import type { ReleaseEvents } from './release.ts';
import type { SupervisorEvent } from './supervisor-event.ts';
import type { SupervisorOptions } from './supervisor-options.ts';

/** What the releases of a supervisor report: `post` gets what it must act on, the log what people should know. */
export function releaseEvents(
  { log, errorResponse, responseBufferBytesMax }: SupervisorOptions,
  pool: Pool,
  post: (event: SupervisorEvent) => void,
): ReleaseEvents {
  return {
    onLoaded: (release) => post({ kind: 'loaded', release }),
    onBroken: ({ number }, traceback, reason) => post({ kind: 'broken', release: number, traceback, reason }),
    onWarning: (text) => log.warn(text),
    onZygoteGone: (release, status) => post({ kind: 'zygote-gone', release, status }),
    onZygoteBroken: (reason) => log.error(`The zygote is killed: ${reason}`),
    onWorkerBroken: (worker, reason) => log.error(`worker ${worker.number} (pid ${worker.pid}) is killed: ${reason}`),
    worker: {
      pool,
      responseBufferBytesMax,
      errorResponse,
      onReady: (worker) => post({ kind: 'ready', worker }),
      onGone: (worker) => post({ kind: 'gone', worker }),
      onTraceback: ({ release }, traceback, reason) => post({ kind: 'broken', release, traceback, reason }),
      onLog: (worker, text, pending) => log.error(text, { worker: worker.pid, ...describe(pending) }),
    },
  };
}

function describe(pending: PendingRequest | null): Record<string, unknown> {
  return pending === null ? {} : { request: `${pending.request.method} ${pending.request.path}` };
}
