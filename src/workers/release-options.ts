import type { PythonMiddleware } from '../config/middleware.ts';
import type { Project } from '../project/project.ts';
import type { WaitingInterpreter } from '../project/waiting-interpreter.ts';
import type { ListenerEnviron } from '../wsgi/variables.ts';
import type { HookPaths } from './hooks.ts';
import type { Preload } from './preload.ts';
import type { ScalingOptions } from './scaling.ts';
import type { WorkerLimits } from './worker-limits.ts';

export interface ReleaseOptions {
  readonly project: Project;
  /** The most workers. */
  readonly workers: number;
  /** While there is less to do, some workers leave. When absent, their number does not change. */
  readonly scaling?: ScalingOptions;
  /** When workers are replaced; when absent, never. */
  readonly limits?: WorkerLimits;
  /** Middleware that workers put around the application, the outermost first. */
  readonly middleware?: readonly PythonMiddleware[];
  readonly hooks?: HookPaths | undefined;
  /** The command that starts the interpreter, with its arguments; null for none. */
  readonly wrap?: string | null;
  /** Whether hooks run. True when absent. */
  readonly runsHooks?: boolean;
  /** Whether the metrics that the application counts with prometheus_client are read. False when absent. */
  readonly applicationMetrics?: boolean;
  /** Whether requests are traced without somebody asking: then the code for it is loaded with the application. False when absent. */
  readonly tracing?: boolean;
  /** Whether a failed import is reported with the source and the variables of its frames. False when absent. */
  readonly describesFailures?: boolean;
  /** Whether the application also runs in the workers of other server processes. */
  readonly shared?: boolean;
  readonly threads: number;
  readonly preload: Preload;
  readonly software: string;
  readonly listeners: readonly ListenerEnviron[];
  /** Names of variables of the process that the environ of each request has; `NAME*` for all that start so. */
  readonly environVariables: readonly string[];
  /** Whether what requests print goes to the log. False when absent. */
  readonly captureOutput?: boolean;
  /** A worker that is not ready within this time is killed. */
  readonly startTimeoutMs: number;
  /** A process that does not respond for this time is killed; 0 for never. */
  readonly workerTimeoutMs: number;
  /**
   * The time for the threads of the application after the last request of a worker, when a release retires. Running requests have no deadline,
   * unless the whole server stops.
   */
  readonly gracefulTimeoutMs: number;
  /**
   * Whether a release that was prepared gets requests of its own, beside the serving one, before it is committed. When absent, it gets
   * none.
   */
  readonly hasTrial?: boolean;
  /** The period in which outcomes of requests are counted, for a comparison with the next release. 0, or absent, for none. */
  readonly watchMs?: number;
  /** An interpreter that may wait to become the zygote. */
  readonly waiting?: WaitingInterpreter | undefined;
}
