import { isatty } from 'node:tty';
import { nodeHas } from './debugger.ts';

/** Signals that ask the server to stop. Systems that lose their power, LXC and limits of processor time send the last two. */
export const STOP_SIGNALS = ['SIGTERM', 'SIGINT', 'SIGQUIT', 'SIGPWR', 'SIGXCPU'] as const;

export type StopSignal = (typeof STOP_SIGNALS)[number];

/** Their default action ends a process, or opens Node's debugger. The first one opens the log files again; the others have no meaning here. */
const HARMLESS = ['SIGUSR1', 'SIGUSR2', 'SIGALRM', 'SIGVTALRM', 'SIGIO', 'SIGSTKFLT'] as const;

/** Their default action pauses a process. In a terminal this is what they are for (Ctrl-Z); a service would hang. */
const JOB_CONTROL = ['SIGTSTP', 'SIGTTIN', 'SIGTTOU'] as const;

/** Node's own profilers take samples at this signal. */
const PROFILER = /(^|\s)--(cpu-)?prof\b/;

/**
 * Keeps the signals that are not meant to stop a server from ending, pausing or opening this process, and passes their names to `onSignal`. SIGXFSZ
 * is not passed on: it comes with each write to a log that may not grow any more.
 */
export function disarmSignals(onSignal: (signal: NodeJS.Signals) => void): void {
  const names: NodeJS.Signals[] = [...HARMLESS];
  if (!nodeHas(PROFILER)) names.push('SIGPROF');
  if (![0, 1, 2].some((fd) => isatty(fd))) names.push(...JOB_CONTROL);
  for (const name of names) process.on(name, onSignal);
  process.on('SIGXFSZ', () => {});
}
