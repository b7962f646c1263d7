import { fstatSync } from 'node:fs';
import { isatty } from 'node:tty';
import type { LineSink } from './access-log.ts';
import { DirectWriter, type OutputEvents } from './direct-writer.ts';
import { createLog, type Log, type LogStream } from './log.ts';
import { type FileOwner, LogFile } from './log-file.ts';

/**
 * Standard output or error. A file, which may be on a full disk, is written at once, as `DirectWriter` says. Everything else is left to Node's
 * stream, which needs a listener for its errors.
 */
export class Output implements LineSink, LogStream {
  readonly #stream: NodeJS.WriteStream;
  readonly #fd: number;
  /** Null if it is not a file. */
  readonly #writer: DirectWriter | null;

  constructor(stream: NodeJS.WriteStream & { readonly fd: number }) {
    this.#stream = stream;
    this.#fd = stream.fd;
    this.#writer = isFile(stream.fd) ? new DirectWriter() : null;
  }

  set events(events: OutputEvents) {
    if (this.#writer !== null) this.#writer.events = events;
  }

  get writableLength(): number {
    return this.#writer === null ? this.#stream.writableLength : 0;
  }

  /** See `LineSink`. */
  write(text: string): boolean {
    if (this.#writer === null) return this.#stream.write(text);
    this.#writer.write(this.#fd, text);
    return true;
  }

  once(event: 'drain', listener: () => void): unknown {
    return this.#stream.once(event, listener);
  }
}

/** Whether `fd` is a file, or a device such as /dev/full, to which Node writes synchronously too. */
function isFile(fd: number): boolean {
  const stat = fstatSync(fd);
  return stat.isFile() || (stat.isCharacterDevice() && !isatty(fd));
}

/** Where the logs go, if not to standard output and error. Absolute paths. */
export interface LogFiles {
  readonly accessLogFile: string | null;
  readonly errorLogFile: string | null;
}

/** What came of opening the files of the logs again. */
export interface Reopened {
  /** How many files there are. */
  readonly files: number;
  /** Why some of them could not be opened: a sentence for each. Their lines go to the file that was open before. */
  readonly problems: readonly string[];
}

/** The logs of a process. */
export interface Outputs {
  readonly log: Log;
  readonly accessLog: LineSink;
  /**
   * Opens the files of the logs again, after they were renamed, and reports that in the log. Standard output and error stay.
   */
  readonly reopen: () => Reopened;
}

/**
 * The log and the access log of a process, in files or on its two outputs. What one of them loses is reported in the other, and in itself once
 * it recovers.
 *
 * @throws ViaductError `USAGE` for a file that cannot be opened
 */
export function openOutputs(format: 'text' | 'json', files: LogFiles, owner: FileOwner | null): Outputs {
  const { accessLogFile, errorLogFile } = files;
  const accessLog = accessLogFile === null ? new Output(process.stdout) : new LogFile(accessLogFile, owner);
  const errors = errorLogFile === null ? new Output(process.stderr) : new LogFile(errorLogFile, owner);
  const log = createLog(format, errors);
  accessLog.events = {
    onFailed: (reason) => log.error(`Cannot write the access log, its lines are lost: ${reason}`),
    onRecovered: (lines, reason) => log.warn(`Access log lines were lost: ${reason}`, { lines }),
  };
  errors.events = {
    onFailed: () => {},
    onRecovered: (entries, reason) => log.warn(`Log entries were lost: ${reason}`, { entries }),
  };
  function reopen(): Reopened {
    const logFiles = [errors, accessLog].filter((output) => output instanceof LogFile);
    const problems = logFiles.map((file) => file.reopen()).filter((problem) => problem !== '');
    for (const problem of problems) log.error(`${problem}. Its lines go to the file that was open before`);
    if (logFiles.length > problems.length) log.info('The log files were opened again');
    return { files: logFiles.length, problems };
  }
  return { log, accessLog, reopen };
}
