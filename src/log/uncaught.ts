import { fileURLToPath } from 'node:url';
import { asError, describeThrown, ViaductError } from '../errors.ts';
import { RequestBodyError } from '../http/refusal.ts';
import { programFile } from '../program-files.ts';
import type { Log } from './log.ts';

/** The directory of the compiled program. */
const PROGRAM = programFile('');

/** Like EX_SOFTWARE of sysexits(3): an internal error. */
const BUG_EXIT_CODE = 70;

/**
 * Reports exceptions and rejections that nobody catches in the log, as Python reports those of threads. Otherwise an application in TypeScript
 * could end the server, with all its other applications, by a timer or a promise. Only a bug of Viaduct itself ends the process, because then
 * nobody knows what still works: `end` is called, and the exit code is 70.
 *
 * A rejected promise never ends the process. Viaduct gives promises to applications, which may forget them, and clients decide which of these
 * are rejected.
 */
export function reportUncaught(log: Log, end: () => void): void {
  process.on('unhandledRejection', (reason) => {
    const isBug = isOurs(reason) && !isForApplications(reason);
    log.error(`${isBug ? BUG : ''}Unhandled promise rejection: ${describeThrown(reason)}`);
  });
  process.on('uncaughtException', (error) => {
    if (!isOurs(error)) {
      log.error(`Uncaught exception: ${describeThrown(error)}`);
      return;
    }
    log.error(`${BUG}Uncaught exception: ${describeThrown(error)}`);
    try {
      end();
    } finally {
      process.exit(BUG_EXIT_CODE);
    }
  });
}

const BUG = 'This is a bug in Viaduct, please report it: ';

/** Whether Viaduct reports a failure by errors like this one, so that the application is to handle it. */
function isForApplications(thrown: unknown): boolean {
  const error = asError(thrown);
  return error instanceof ViaductError || error instanceof RequestBodyError;
}

/** Whether code of Viaduct failed that no code of an application had called. Frames of Node count for neither. */
function isOurs(thrown: unknown): boolean {
  const files = (asError(thrown).stack ?? '').split('\n').flatMap(fileOf);
  return files.length > 0 && files.every((file) => file.startsWith(PROGRAM));
}

/**
 * A line of a stack with the place in a file, as a URL or a path. The name of the function says nothing: a listener without a name is
 * `<anonymous>` in every program.
 */
const FRAME = /^\s+at (?:.* \()?(?:async )?((?:file:\/\/|\/|[A-Za-z]:\\).*):\d+:\d+\)?$/;

/** The file of a line of a stack; nothing for the message and for code of Node. */
function fileOf(line: string): string[] {
  const [, file] = FRAME.exec(line) ?? [];
  if (file === undefined) return [];
  try {
    return [file.startsWith('file:') ? fileURLToPath(file) : file];
  } catch {
    return [file];
  }
}
