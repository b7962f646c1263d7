import { fileURLToPath } from 'node:url';
import type { Log } from './log.ts';

/** The directory of the compiled program. */
const PROGRAM = fileURLToPath(new URL('..', import.meta.url));

/** Like EX_SOFTWARE of sysexits(3): an internal error. */
const BUG_EXIT_CODE = 70;

/**
 * Reports exceptions and rejections that nobody catches in the log, as Python reports those of threads. Otherwise an application in TypeScript
 * could end the server, with all its other applications, by a timer or a promise. Only a bug of Viaduct itself ends the process, because then
 * nobody knows what still works: `end` is called, and the exit code is 70.
 */
export function reportUncaught(log: Log, end: () => void): void {
  process.on('unhandledRejection', (reason) => {
    log.error(`${isOurs(reason) ? BUG : ''}Unhandled promise rejection: ${textOf(reason)}`);
  });
  process.on('uncaughtException', (error) => {
    if (!isOurs(error)) {
      log.error(`Uncaught exception: ${textOf(error)}`);
      return;
    }
    log.error(`${BUG}Uncaught exception: ${textOf(error)}`);
    try {
      end();
    } finally {
      process.exit(BUG_EXIT_CODE);
    }
  });
}

const BUG = 'This is a bug in Viaduct, please report it: ';

/** Whether code of Viaduct failed that no code of an application had called. Frames of Node count for neither. */
function isOurs(error: unknown): boolean {
  const frames = error instanceof Error ? (error.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line)) : [];
  const files = frames
    .map((line) => line.replace('file://', ''))
    .filter((line) => !/\(?(node:|<anonymous>)/.test(line));
  return files.length > 0 && files.every((line) => line.includes(PROGRAM));
}

function textOf(reason: unknown): string {
  return reason instanceof Error ? (reason.stack ?? reason.message) : String(reason);
}
