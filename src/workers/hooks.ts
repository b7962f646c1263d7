import type { FromPython, ReleaseHook, ToPython } from './messages.ts';

/** The functions of each hook of an application, as `module:attribute` in Python. */
export interface HookPaths {
  /** In each worker, before its first request. */
  readonly after_fork: readonly string[];
  /** In each worker that ends in order, after its last request. */
  readonly before_exit: readonly string[];
  /** Once for each release that serves, in a process of its own. */
  readonly on_ready: readonly string[];
  /** Once for each release that another one replaces, in a process of its own. */
  readonly on_reload: readonly string[];
}

export const NO_HOOKS: HookPaths = { after_fork: [], before_exit: [], on_ready: [], on_reload: [] };

/** SIGALRM, with which the kernel ends a hook whose time is over. */
const ALARM = -14;
/** A hook that runs in a process of its own has at least this time. */
const TIMEOUT_MS_MIN = 1000;

export interface HookOptions {
  readonly hooks?: HookPaths | undefined;
  /** Whether hooks run. True when absent. */
  readonly runsHooks?: boolean;
  readonly startTimeoutMs: number;
  readonly gracefulTimeoutMs: number;
}

type Start = Extract<ToPython, { readonly kind: 'hook' }>;
type End = Extract<FromPython, { readonly kind: 'hooked' }>;

/** The hooks of one release that run in processes of their own. */
export class ReleaseHooks {
  readonly #options: HookOptions;
  readonly #onFailed: (text: string) => void;
  readonly #running = new Set<ReleaseHook>();

  constructor(options: HookOptions, onFailed: (text: string) => void) {
    this.#options = options;
    this.#onFailed = onFailed;
  }

  /** The message that starts a hook; null if the application has no such hook. */
  start(hook: ReleaseHook): Start | null {
    const { hooks = NO_HOOKS, runsHooks = true } = this.#options;
    if (!runsHooks || hooks[hook].length === 0) return null;
    this.#running.add(hook);
    return { kind: 'hook', hook, timeout_ms: this.#timeoutMs(hook) };
  }

  isRunning(hook: ReleaseHook): boolean {
    return this.#running.has(hook);
  }

  /** Reports a hook that has failed. A code is an exit code, or the negative number of the signal that ended the process. */
  ended({ hook, code, report }: End): void {
    this.#running.delete(hook);
    if (code === 0) return;
    const overdue = `was ended, because it still ran after ${this.#timeoutMs(hook) / 1000} s`;
    const end = code < 0 ? `was ended by signal ${-code}` : `ended its process with exit code ${code}`;
    const failure = report === '' ? `its hook ${hook} ${code === ALARM ? overdue : end}` : report;
    this.#onFailed(`The application serves, but ${failure}`);
  }

  #timeoutMs(hook: ReleaseHook): number {
    const { startTimeoutMs, gracefulTimeoutMs } = this.#options;
    return Math.max(hook === 'on_ready' ? startTimeoutMs : gracefulTimeoutMs, TIMEOUT_MS_MIN);
  }
}
