import type { Log } from '../log/log.ts';

/**
 * A promise that an application in TypeScript forgot to catch is told in the log, as an exception of a thread is in Python, and does not end the server
 * with all other applications in it.
 */
export function tellForgottenPromises(log: Log): void {
  process.on('unhandledRejection', (reason) => {
    const text = reason instanceof Error ? (reason.stack ?? reason.message) : String(reason);
    log.error(`A promise was rejected and nobody caught it: ${text}`);
  });
}
