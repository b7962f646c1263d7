import { ViaductError } from '../errors.ts';
import type { LineSink } from './access-log.ts';
import { DatagramProcess } from './datagram-process.ts';
import type { OutputEvents } from './direct-writer.ts';
import { JournalPrefixes } from './journal.ts';
import { JournalOutput } from './journal-output.ts';
import { createLog, type Log, type LogStream, type OnEntry } from './log.ts';
import { type FileOwner, LogFile } from './log-file.ts';
import { LogTap } from './log-tap.ts';
import { StandardOutput } from './standard-output.ts';
import { SyslogOutput } from './syslog-output.ts';
import { parseSyslogTarget } from './syslog-target.ts';

/**
 * Where the logs go, if not to standard output and error. Files are absolute paths, so are the sockets of a journal; the others are addresses of
 * syslog servers.
 */
export interface LogTargets {
  readonly accessLogFile: string | null;
  readonly errorLogFile: string | null;
  readonly accessLogSyslog: string | null;
  readonly errorLogSyslog: string | null;
  readonly accessLogJournal: string | null;
  readonly errorLogJournal: string | null;
}

export interface OutputOptions {
  /** The format of the server's log. */
  readonly format: 'text' | 'json';
  /** Whether standard error leads to systemd's journal. */
  readonly isJournal: boolean;
  /** The owner of files that are made. */
  readonly owner: FileOwner | null;
  /** The path of an interpreter, which sends datagrams to Unix sockets. */
  readonly python: string;
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
  /** Resolves when what goes to other programs is on its way, so that this process may end. It never ends while one of them is stuck. */
  readonly flush: () => Promise<unknown>;
}

/** Where one log goes. */
interface Target {
  /** The name of its settings: `access_log`. */
  readonly setting: string;
  readonly file: string | null;
  readonly syslog: string | null;
  readonly journal: string | null;
}

/**
 * The log and the access log of a process, in files or on its two outputs. What one of them loses is reported in the other, and in itself once
 * it recovers.
 *
 * @throws ViaductError `USAGE` for a file that cannot be opened, `SETTINGS` for what is not the address of a syslog server
 */
export function openOutputs(targets: LogTargets, options: OutputOptions): Outputs {
  const { format, isJournal, owner, python } = options;
  const datagramsTo = sharedProcesses(python, owner);
  const accessLog = open('access', accessTarget(targets), owner, datagramsTo);
  const errors = open('server', errorTarget(targets), owner, datagramsTo);
  const onStderr = (output: StandardOutput): LogStream => (isJournal ? new JournalPrefixes(output) : output);
  const tap = new LogTap();
  const onEntry: OnEntry = (level, message, fields, time) => tap.server(level, message, fields, time);
  const log = createLog(format, errors instanceof StandardOutput ? onStderr(errors) : errors, onEntry);
  const standardError = isRemote(errors) ? createLog(format, onStderr(new StandardOutput('server'))) : log;
  const isOnePlace = isRemote(accessLog) && isRemote(errors) && accessLog.name === errors.name;
  accessLog.events = isRemote(accessLog)
    ? remoteEvents(accessLog.name, 'access log', isOnePlace ? [log, standardError] : [log]) // what is stuck cannot report it
    : {
        onFailed: (reason) => log.error(`Cannot write the access log, its lines are lost: ${reason}`),
        onRecovered: (lines, reason) => log.warn(`Access log lines were lost: ${reason}`, { lines }),
      };
  errors.events = isRemote(errors)
    ? remoteEvents(errors.name, "server's log", [standardError])
    : {
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
  const flush = (): Promise<unknown> =>
    Promise.all([errors, accessLog].filter(isRemote).map((output) => output.flush()));
  return { log, accessLog, tap, reopen, flush };
}

type Output = StandardOutput | LogFile | SyslogOutput | JournalOutput;

function accessTarget({ accessLogFile, accessLogSyslog, accessLogJournal }: LogTargets): Target {
  return { setting: 'access_log', file: accessLogFile, syslog: accessLogSyslog, journal: accessLogJournal };
}

function errorTarget({ errorLogFile, errorLogSyslog, errorLogJournal }: LogTargets): Target {
  return { setting: 'error_log', file: errorLogFile, syslog: errorLogSyslog, journal: errorLogJournal };
}

function open(
  log: 'access' | 'server',
  { setting, file, syslog, journal }: Target,
  owner: FileOwner | null,
  datagramsTo: (path: string) => DatagramProcess,
): Output {
  const [first, second] = Object.entries({ file, syslog, journal }).flatMap(([kind, target]) =>
    target === null ? [] : [`${setting}_${kind}`],
  );
  if (second !== undefined)
    throw new ViaductError('SETTINGS', `Cannot use ${first} and ${second} together: a log goes to one place`);
  if (file !== null) return new LogFile(log, file, owner);
  if (syslog !== null) return new SyslogOutput(log, parseSyslogTarget(`${setting}_syslog`, syslog), datagramsTo);
  if (journal !== null) return new JournalOutput(log, datagramsTo(journal));
  return new StandardOutput(log);
}

/** Both logs share a process if they go to the same socket. */
function sharedProcesses(python: string, owner: FileOwner | null): (path: string) => DatagramProcess {
  const processes = new Map<string, DatagramProcess>();
  return (path) => {
    const known = processes.get(path) ?? new DatagramProcess({ python, path, owner });
    processes.set(path, known);
    return known;
  };
}

function isRemote(output: Output): output is SyslogOutput | JournalOutput {
  return output instanceof SyslogOutput || output instanceof JournalOutput;
}

/** Reports in `logs` that a log cannot be sent to `name`, and what was lost. */
function remoteEvents(name: string, what: string, logs: readonly Log[]): OutputEvents {
  return {
    onFailed: (reason) => {
      for (const log of logs) log.error(`Cannot send the ${what} to ${name}: ${reason}`);
    },
    onRecovered: (lines, reason) => {
      for (const log of logs)
        if (lines === 0) log.info(`The ${what} reaches ${name} again`);
        else log.warn(`Lines of the ${what} did not reach ${name}: ${reason}`, { lines });
    },
  };
}
