import { createLog, type Log } from '../log/log.ts';

/** The log of a server or application that was given none: errors and warnings, on standard error. */
export function errorLog(): Log {
  return { ...createLog('text', process.stderr), info() {} };
}
