import type { CertificateStatus } from '../listen/tls/tls-contexts.ts';
import { mergeBackends, type RouteBackends } from '../proxy/backend-control.ts';
import type { Applications } from '../site/applications.ts';
import type { ApplicationStatus } from '../workers/application-status.ts';
import type { ThreadStack } from '../workers/worker-question.ts';
import type { ServerState } from './readiness.ts';

/** A running server. This and everything in it is sent as JSON, as it is; times are ISO 8601. docs/control-api.yaml describes it. */
export interface ServerStatus {
  readonly urls: readonly string[];
  readonly certificates: readonly CertificateStatus[];
  readonly processes: readonly ProcessStatus[];
  readonly backends: readonly RouteBackends[];
}

/** One server process. */
export interface ProcessStatus {
  readonly pid: number;
  /** `drained`: it serves, and load balancers should keep requests away. `silent`: it did not answer the primary. */
  readonly state: ServerState | 'drained' | 'silent';
  /** Whether it should get requests, as `/-/ready` says. */
  readonly ready: boolean;
  /** Why not. */
  readonly reasons: readonly string[];
  /** Open connections of clients. */
  readonly connections: number;
  /** Resident memory; null if it is not known. */
  readonly rss_bytes: number | null;
  /** Its Python applications. */
  readonly applications: readonly ApplicationStatus[];
}

/** What one server process knows of a status. */
export interface ProcessReport extends Pick<ServerStatus, 'certificates' | 'backends'> {
  readonly process: ProcessStatus;
}

/** All processes have the same certificates and routes. */
export function mergeStatus(reports: readonly ProcessReport[], urls: readonly string[]): ServerStatus {
  return {
    urls,
    certificates: reports.find(({ certificates }) => certificates.length > 0)?.certificates ?? [],
    processes: reports.map((report) => report.process),
    backends: mergeBackends(reports.map(({ backends }) => backends)),
  };
}

/** The report of a process that does not answer. */
export function silentReport(pid: number): ProcessReport {
  const reasons = ['the server process does not answer'];
  return {
    process: { pid, state: 'silent', ready: false, reasons, connections: 0, rss_bytes: null, applications: [] },
    certificates: [],
    backends: [],
  };
}

/** Where the threads of one worker are. */
export interface WorkerStacks {
  readonly application: string;
  readonly worker: number;
  readonly pid: number;
  /** Null if the worker did not answer: C code holds its interpreter lock, or it is stopped. */
  readonly threads: readonly ThreadStatus[] | null;
}

export interface ThreadStatus extends ThreadStack {
  /** The request that it runs: method and path. Null if it runs none. */
  readonly request: string | null;
  readonly running_ms: number | null;
}

/** Asks the worker with the number or process id `only`, or (null) all workers. */
export function workerStacks(applications: Applications, only: number | null): Promise<readonly WorkerStacks[]> {
  const asked = applications
    .serving()
    .flatMap(([application, { workers }]) => workers.map((worker) => ({ application, worker })))
    .filter(
      ({ worker }) => worker.state !== 'starting' && (only === null || worker.number === only || worker.pid === only),
    );
  return Promise.all(
    asked.map(async ({ application, worker }) => {
      const stacks = await worker.stacks.ask();
      const now = performance.now();
      const threads = stacks?.map((thread) => {
        const lane = worker.lanes.find(({ index }) => index === thread.lane);
        const [pending] = lane?.inflight ?? [];
        const request = pending === undefined ? null : `${pending.request.method} ${pending.request.path}`;
        const running_ms = pending === undefined ? null : Math.round(now - (lane?.headSinceMs ?? now));
        return { ...thread, request, running_ms };
      });
      return { application, worker: worker.number, pid: worker.pid, threads: threads ?? null };
    }),
  );
}
