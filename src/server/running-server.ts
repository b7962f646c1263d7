import type { LineSink } from '../log/access-log.ts';
import type { Log } from '../log/log.ts';
import type { LogTap } from '../log/log-tap.ts';
import type { Family } from '../metrics/family.ts';
import type { WaitingInterpreter } from '../project/waiting-interpreter.ts';
import type { BackendControl } from '../proxy/backend-control.ts';
import type { Scaled } from '../site/applications.ts';
import type { Configuration } from '../site/configuration.ts';
import type { Application } from '../wsgi/contract.ts';
import type { Agreement } from './agreement.ts';
import type { LiveRequest } from './live-requests.ts';
import type { ProcessReport, ServerStatus, WorkerStacks } from './status.ts';
import type { TraceRecording } from './trace/recording.ts';
import type { Traces } from './trace/traces.ts';
import type { Tracing } from './trace/tracing.ts';

export interface ServerOptions {
  /** Validated. */
  readonly configuration: Configuration;
  readonly log: Log;
  /** Receives the access log. */
  readonly accessLog: LineSink;
  /** Shows the access log to those who follow it. */
  readonly tap?: LogTap;
  /** Called when all addresses are bound, before the application is imported. */
  readonly onBound?: () => void;
  /** Applications that the caller made, by name. The server closes them when it stops. */
  readonly callerApplications?: ReadonlyMap<string, Application>;
  /** Whether the applications must answer the probes before the server serves. Default: true. */
  readonly probesAtStart?: boolean;
  /** A new release serves, with this configuration. In development also after a change of the code. */
  readonly onReloaded?: (configuration: Configuration) => void;
  /** What has the traces, instead of the server's own recording. */
  readonly tracing?: Tracing;
  /** What the pages of the development show, instead of the server itself: it is one of several server processes. */
  readonly shown?: ShownServer;
  /** An interpreter that may wait for the main application. */
  readonly waiting?: WaitingInterpreter;
}

export interface RunningServer extends BackendControl {
  readonly urls: readonly string[];
  /** Open connections of clients. */
  readonly connections: number;
  readonly traces: Traces;
  /**
   * Starts `configuration`, which is validated, and a new release of each application beside the running ones, then switches over without
   * dropping a request. If any part of that fails, the old configuration stays, and so does the old release of every application. With `watch_ms`
   * it resolves when the new releases have proved themselves. `agreement` is with other server processes.
   */
  reload(configuration: Configuration, agreement?: Agreement): Promise<void>;
  /** Lets a running reload fail, whatever it waits for, so that a later one need not wait for it. */
  cancelReload(): void;
  /** Whether load balancers should keep new requests away (`/-/ready`). Requests that come are answered all the same. */
  drain(draining: boolean): Promise<void>;
  /** Changes the number of workers of a Python application until the next reload. Resolves before new workers are ready. */
  scale(application: string, workers: number): Promise<Scaled>;
  status(): Promise<ServerStatus>;
  /** All metrics; null if the setting `admin` is not set, because then nothing is counted. */
  metrics(): Promise<readonly Family[] | null>;
  /** The requests that are not answered completely, those first that came first. */
  requests(): Promise<readonly LiveRequest[]>;
  /** Where the threads are of the worker with this number or process id, or (null) of all workers. */
  stacks(worker: number | null): Promise<readonly WorkerStacks[]>;
  /** Writes the lines of the access log that wait: what was answered before a log file is opened again belongs to the old one. */
  flushLogs(): void;
  /** Accepts for another `drainDelayMs`, lets running requests finish within `gracefulTimeoutMs`, and ends all processes. */
  stop(): Promise<void>;
  /** Ends everything at once. */
  kill(): void;
}

/** What pages about requests show of a server. */
export type ShownServer = Pick<RunningServer, 'status' | 'metrics' | 'requests' | 'traces'>;

/** A server in this process. */
export interface LocalServer extends RunningServer {
  report(): ProcessReport;
  /** Which requests are recorded, and the records. */
  readonly recording: TraceRecording;
}
