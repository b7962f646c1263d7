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

/** A hook that runs in a process of its own. */
export type ReleaseHook = 'on_ready' | 'on_reload';

export const NO_HOOKS: HookPaths = { after_fork: [], before_exit: [], on_ready: [], on_reload: [] };

/** SIGALRM, with which the kernel ends a hook whose time is over. */
const ALARM = -14;

/**
 * What the log says of a hook that has failed.
 *
 * @param code exit code of its process, or the negative number of the signal that ended it
 * @param report reason and traceback; '' if the hook did not raise an exception
 */
export function hookFailure(hook: ReleaseHook, code: number, report: string, timeoutMs: number): string {
  if (report !== '') return `The application serves, but ${report}`;
  const end = code < 0 ? `was ended by signal ${-code}` : `ended its process with exit code ${code}`;
  return `The application serves, but its hook ${hook} ${code === ALARM ? `was ended, because it still ran after ${timeoutMs / 1000} s` : end}`;
}
