/**
 * Signals that a terminal, a service manager or a person sends to all processes of a server. They mean nothing to Python or are for the server,
 * but they end a program that has not started far enough to expect them.
 */
const PASSING: ReadonlySet<string> = new Set([
  ...['SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2', 'SIGALRM', 'SIGVTALRM', 'SIGPROF', 'SIGIO', 'SIGPWR', 'SIGSTKFLT'],
]);

/** How often a program is started again that such a signal has ended. */
export const RETRIES_MAX = 3;

/** Whether a program that this signal ended is worth another start; null for a program that ended by itself. */
export function isPassing(signal: string | null): boolean {
  return signal !== null && PASSING.has(signal);
}
