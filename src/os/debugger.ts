/** By then Node's signal thread has passed on the signal. */
const DEBUGGER_STARTS_MS = 1000;
const INSPECTOR = /(^|\s)--inspect(-brk|-wait)?(=|\s|$)/;

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
export function nodeHas(flag: RegExp): boolean {
  return flag.test(`${process.execArgv.join(' ')} ${process.env.NODE_OPTIONS ?? ''}`);
}
