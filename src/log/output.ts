import { fstatSync } from 'node:fs';
import { isatty } from 'node:tty';
import { ViaductError } from '../errors.ts';
import type { LineSink } from './access-log.ts';
import { DirectWriter, type OutputEvents } from './direct-writer.ts';
import { JournalPrefixes } from './journal.ts';
import { createLog, type Log, type LogStream, type OnEntry } from './log.ts';
import { type FileOwner, LogFile } from './log-file.ts';
import { LogTap } from './log-tap.ts';
import { SyslogOutput } from './syslog-output.ts';
import { parseSyslogTarget } from './syslog-target.ts';

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

/** Where the logs go, if not to standard output and error. Files are absolute paths, the others addresses of syslog servers. */
export interface LogTargets {
  readonly accessLogFile: string | null;
  readonly errorLogFile: string | null;
  readonly accessLogSyslog: string | null;
  readonly errorLogSyslog: string | null;
}

export interface OutputOptions {
  /** The format of the server's log. */
  readonly format: 'text' | 'json';
  /** Whether standard error leads to systemd's journal. */
  readonly isJournal: boolean;
  /** The owner of files that are made. */
  readonly owner: FileOwner | null;
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
  /** Shows both logs to those who follow them. */
  readonly tap: LogTap;
  /**
   * Opens the files of the logs again, after they were renamed, and reports that in the log. Standard output and error stay.
   */
  readonly reopen: () => Reopened;
}

/**
 * The log and the access log of a process, in files or on its two outputs. What one of them loses is reported in the other, and in itself once
 * it recovers.
 *
 * @throws ViaductError `USAGE` for a file that cannot be opened, `SETTINGS` for what is not the address of a syslog server
 */
export function openOutputs(targets: LogTargets, { format, isJournal, owner }: OutputOptions): Outputs {
  const { accessLogFile, errorLogFile, accessLogSyslog, errorLogSyslog } = targets;
  const onlyOne = (log: 'access_log' | 'error_log', file: string | null, syslog: string | null): void => {
    if (file !== null && syslog !== null)
      throw new ViaductError('SETTINGS', `Cannot use ${log}_file and ${log}_syslog together: a log goes to one place`);
  };
  onlyOne('access_log', accessLogFile, accessLogSyslog);
  onlyOne('error_log', errorLogFile, errorLogSyslog);
  const open = (log: 'access' | 'server', file: string | null, syslog: string | null) =>
    file !== null
      ? new LogFile(file, owner)
      : syslog !== null
        ? new SyslogOutput(log, parseSyslogTarget(log === 'access' ? 'access_log_syslog' : 'error_log_syslog', syslog))
        : new Output(log === 'access' ? process.stdout : process.stderr);
  const accessLog = open('access', accessLogFile, accessLogSyslog);
  const errors = open('server', errorLogFile, errorLogSyslog);
  const onStderr = (output: Output): LogStream => (isJournal ? new JournalPrefixes(output) : output);
  const tap = new LogTap();
  const onEntry: OnEntry = (level, message, fields) => tap.server(level, message, fields);
  const log = createLog(format, errors instanceof Output ? onStderr(errors) : errors, onEntry);
  if (accessLog instanceof SyslogOutput) accessLog.events = syslogEvents(accessLog.url, 'access log', log);
  else
    accessLog.events = {
      onFailed: (reason) => log.error(`Cannot write the access log, its lines are lost: ${reason}`),
      onRecovered: (lines, reason) => log.warn(`Access log lines were lost: ${reason}`, { lines }),
    };
  if (errors instanceof SyslogOutput) {
    const onlyStderr = createLog(format, onStderr(new Output(process.stderr)));
    errors.events = syslogEvents(errors.url, "server's log", onlyStderr);
  } else
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
  return { log, accessLog, tap, reopen };
}

/** Reports in `log` that the syslog server at `url` cannot be reached, and what was lost. */
function syslogEvents(url: string, what: string, log: Log): OutputEvents {
  return {
    onFailed: (reason) => log.error(`Cannot send the ${what} to ${url}: ${reason}. Up to 1 MiB of it waits`),
    onRecovered: (lines, reason) => {
      if (lines === 0) log.info(`The ${what} reaches ${url} again`);
      else log.warn(`Lines of the ${what} did not reach ${url}: ${reason}`, { lines });
    },
  };
}
