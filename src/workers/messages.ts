import type { CollectedFamily } from './metrics/collected.ts';
import type { ThreadStack } from './worker-question.ts';

/**
 * Control messages between a server process and Python: JSON objects, each after its length as a 32-bit little-endian
 * number. `channel.py` is the other end.
 */
export type ToPython =
  | { readonly kind: 'fork'; readonly worker: number; readonly socket: string; readonly runtime: string }
  | { readonly kind: 'kill'; readonly worker: number }
  | { readonly kind: 'hook'; readonly hook: ReleaseHook; readonly timeout_ms: number }
  | { readonly kind: 'quit' | 'ping' | 'stacks' }
  | { readonly kind: 'collect'; readonly everything: boolean }
  | { readonly kind: 'proof'; readonly data: string }
  | { readonly kind: 'go'; readonly hands_over: boolean }
  | { readonly kind: 'recall'; readonly lane: number }
  | { readonly kind: 'gone' | 'opened' | 'interrupt'; readonly lane: number; readonly request: number };

/** The level of what a worker writes to the log. */
export type LogLevel = 'error' | 'warn' | 'info';

export type FromPython =
  | { readonly kind: 'zygote'; readonly release: number; readonly pid: number; readonly version: string }
  | { readonly kind: 'loaded' }
  /** What the import leaves and forked workers cannot share, in words. It comes before `loaded`. */
  | { readonly kind: 'unsafe'; readonly findings: readonly string[] }
  | ({ readonly kind: 'broken' } & ImportFailure)
  /** Why a worker cannot start. */
  | { readonly kind: 'unable'; readonly reason: string }
  | { readonly kind: 'forked'; readonly worker: number; readonly pid: number }
  /** The system refuses to fork it. */
  | { readonly kind: 'unforked'; readonly worker: number; readonly reason: string }
  /** A hook of the release has ended. */
  | { readonly kind: 'hooked'; readonly hook: ReleaseHook; readonly code: number; readonly report: string }
  | { readonly kind: 'exited'; readonly worker: number; readonly code: number }
  | { readonly kind: 'worker'; readonly release: number; readonly worker: number; readonly pid: number }
  | { readonly kind: 'proof'; readonly decoded: unknown; readonly descriptor: number; readonly size: number }
  | { readonly kind: 'lane'; readonly release: number; readonly worker: number; readonly index: number }
  | { readonly kind: 'log'; readonly level: LogLevel; readonly text: string; readonly request: number | null }
  /** What a request has printed. */
  | { readonly kind: 'output'; readonly stream: PrintStream; readonly text: string; readonly request: number }
  | {
      readonly kind: 'interrupted';
      readonly lane: number;
      readonly request: number;
      readonly raised: boolean;
      readonly stack: string;
    }
  | { readonly kind: 'stacks'; readonly threads: readonly ThreadStack[] }
  /** The metrics that are in no file. */
  | { readonly kind: 'collected'; readonly families: readonly CollectedFamily[] }
  /** The answer to a ping. */
  | { readonly kind: 'alive' };

/** Why the application, or a part of it, cannot be imported. */
export interface ImportFailure {
  /** As Python prints it; '' if the reason says everything. */
  readonly traceback: string;
  readonly reason: string;
  /** In development: marshalled data in base64, for `readPythonException`. Otherwise ''. */
  readonly exception: string;
}

/** Where Python code prints: `sys.stdout` or `sys.stderr`. */
export type PrintStream = 'stdout' | 'stderr';

/** A hook that runs in a process of its own. */
export type ReleaseHook = 'on_ready' | 'on_reload';
