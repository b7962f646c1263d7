import { createLog, type Log } from '../log/log.ts';

/** What a library says by itself: errors and warnings, on standard error. */
export function errorLog(): Log {
  return { ...createLog('text', process.stderr), info() {} };
}
