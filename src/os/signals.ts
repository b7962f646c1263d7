import { isatty } from 'node:tty';

/** Signals that ask the server to stop. Systems that lose their power, LXC and limits of processor time send the last two. */
export const STOP_SIGNALS = ['SIGTERM', 'SIGINT', 'SIGQUIT', 'SIGPWR', 'SIGXCPU'] as const;

export type StopSignal = (typeof STOP_SIGNALS)[number];

/** Their default action ends a process, or opens Node's debugger. Other servers give some of them a meaning; here they have none. */
const WITHOUT_EFFECT = ['SIGUSR1', 'SIGUSR2', 'SIGALRM', 'SIGVTALRM', 'SIGIO', 'SIGSTKFLT'] as const;

/** Their default action pauses a process. In a terminal this is what they are for (Ctrl-Z); a service would hang. */
const JOB_CONTROL = ['SIGTSTP', 'SIGTTIN', 'SIGTTOU'] as const;

/** Node's own profilers take samples at this signal. */
const PROFILER = /(^|\s)--(cpu-)?prof\b/;
/** By then Node's signal thread has passed on the signal. */
const DEBUGGER_STARTS_MS = 1000;
const INSPECTOR = /(^|\s)--inspect(-brk|-wait)?(=|\s|$)/;

/**
 * Keeps the signals that mean nothing to a server from ending, pausing or opening this process, and passes their names to `onSignal`. SIGXFSZ
 * is not passed on: it comes with each write to a log that may not grow any more.
 */
export function disarmSignals(onSignal: (signal: NodeJS.Signals) => void): void {
  const names: NodeJS.Signals[] = [...WITHOUT_EFFECT];
  if (!nodeHas(PROFILER)) names.push('SIGPROF');
  if (![0, 1, 2].some((fd) => isatty(fd))) names.push(...JOB_CONTROL);
  for (const name of names) process.on(name, onSignal);
  process.on('SIGXFSZ', () => {});
}

/**
 * Closes the debugger if SIGUSR1 opened it before this process could take the signal, and not a flag of Node. Closes it again later: Node
 * starts it once at an interrupt of JavaScript and once more in the event loop.
 */
export function closeDebugger(): void {
  closeOpenedDebugger();
  setImmediate(() => setImmediate(closeOpenedDebugger));
  setTimeout(closeOpenedDebugger, DEBUGGER_STARTS_MS).unref();
}

function closeOpenedDebugger(): void {
  const inspector = process.getBuiltinModule('node:inspector') as typeof import('node:inspector') | undefined;
  if (inspector?.url() !== undefined && !nodeHas(INSPECTOR)) inspector.close();
}

/** Whether Node was started with a flag, as an argument or in NODE_OPTIONS. */
function nodeHas(flag: RegExp): boolean {
  return flag.test(`${process.execArgv.join(' ')} ${process.env.NODE_OPTIONS ?? ''}`);
}
