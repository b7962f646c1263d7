import { type ChildProcess, spawn } from 'node:child_process';
import { constants } from 'node:os';
import type { Log } from '../log/log.ts';
import type { Identity } from '../os/process-user.ts';
import { pythonFile } from '../program-files.ts';
import { isInit, killGroup, signalName } from '../workers/os-process.ts';
import { outputFor, passOn } from '../workers/output.ts';
import { type FromKeeper, parseMessage, type ToKeeper } from './messages.ts';

const KEEPER = pythonFile('keeper.py');
/** More than any message of the keeper: a line of output is up to 16 KiB, and each of its bytes up to six characters of JSON. */
const LINE_CHARS_MAX = 256 * 1024;

/** The keeper ends a program this long after its grace at the latest. Otherwise it is stuck. */
const LATE_MS = 3000;

/** A program to run. */
export interface ProgramOptions {
  /** The program and its arguments. It is looked up in the PATH of `environment`. */
  readonly command: readonly string[];
  readonly directory: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly stopSignal: NodeJS.Signals;
  readonly graceMs: number;
}

export interface ProgramEvents {
  readonly onStarted: (pid: number) => void;
  /** It could not be started. Nothing else follows. */
  readonly onFailed: (reason: string) => void;
  /** A line of its output. */
  readonly onOutput: (text: string) => void;
  /** It had to be killed, because its grace was over. */
  readonly onOverdue: () => void;
  /** It has ended, and so has all that was left of its process group. `how`: `with exit code 1`, `of SIGKILL`. Nothing else follows. */
  readonly onEnded: (code: number, how: string) => void;
}

export interface RunningProgram {
  /** Sends the stop signal, and kills the process group when the grace is over. */
  stop(): void;
}

export interface KeeperOptions {
  /** The user of the programs, if this process keeps the rights of root; null for the user of this process. */
  readonly identity: Identity | null;
  readonly umask: number;
  readonly log: Log;
}

interface Known extends ProgramEvents {
  pid: number;
}

/**
 * Starts and ends programs by a Python process, keeper.py, which explains why. It is started with the first program. When it dies, all programs are
 * killed, and the next one starts another keeper.
 */
export class Keeper {
  readonly #options: KeeperOptions;
  #child: ChildProcess | null = null;
  readonly #programs = new Map<number, Known>();
  #numbers = 0;

  constructor(options: KeeperOptions) {
    this.#options = options;
  }

  /** Starts a program. All events come later. `python` is the interpreter for a keeper that has to be started. */
  start(python: string, options: ProgramOptions, events: ProgramEvents): RunningProgram {
    this.#numbers += 1;
    const program = this.#numbers;
    this.#programs.set(program, { ...events, pid: 0 });
    this.#child ??= this.#launch(python);
    this.#send({
      kind: 'start',
      program,
      command: options.command,
      directory: options.directory,
      environment: options.environment,
      stop_signal: constants.signals[options.stopSignal],
      grace_ms: options.graceMs,
    });
    return { stop: () => this.#stop(program, options.graceMs) };
  }

  /** A keeper that does not do it, such as one that was stopped (SIGSTOP), is killed, and with it all programs. */
  #stop(program: number, graceMs: number): void {
    this.#send({ kind: 'stop', program });
    const check = (): void => {
      if (this.#programs.has(program)) this.#child?.kill('SIGKILL');
    };
    setTimeout(setImmediate, graceMs + LATE_MS, check).unref(); // after what it has said, if this process was stopped, too
  }

  /** Ends the keeper. Programs that still run are asked to end, and killed after their grace, whether this process waits for it or not. */
  close(): void {
    this.#child?.stdin?.end();
  }

  /** Kills all programs at once, with their process groups. */
  kill(): void {
    this.#send({ kind: 'kill-all' });
    this.close();
  }

  #send(message: ToKeeper): void {
    this.#child?.stdin?.write(`${JSON.stringify(message)}\n`);
  }

  #launch(python: string): ChildProcess {
    const { identity, umask } = this.#options;
    const child = spawn(python, ['-I', '-S', KEEPER, JSON.stringify({ identity, umask, adopts: isInit() })], {
      stdio: ['pipe', 'pipe', outputFor(2)],
      detached: true, // a terminal's Ctrl-C must not reach it
    });
    passOn(child.stderr, process.stderr);
    child.stdin?.on('error', () => {});
    readLines(child, (line) => this.#receive(child, line));
    let how = 'it cannot be started';
    child.once('error', (error) => {
      how = `${python}: ${error.message}`;
      if (child.pid === undefined) this.#lost(child, how);
    });
    child.once('exit', (code, signal) => {
      how = signal === null ? `it ended with exit code ${code}` : `it ended of ${signal}`;
    });
    child.once('close', () => this.#lost(child, how));
    return child;
  }

  #receive(child: ChildProcess, line: string): void {
    const message = line.length > LINE_CHARS_MAX ? null : parseMessage(line);
    if (message === null) child.kill('SIGKILL');
    else this.#event(message);
  }

  #event(message: FromKeeper): void {
    const known = this.#programs.get(message.program);
    if (known === undefined) return;
    switch (message.kind) {
      case 'started':
        known.pid = message.pid;
        known.onStarted(message.pid);
        break;
      case 'output':
        known.onOutput(message.text);
        break;
      case 'overdue':
        known.onOverdue();
        break;
      case 'failed':
        this.#programs.delete(message.program);
        known.onFailed(message.reason);
        break;
      case 'ended':
        this.#programs.delete(message.program);
        known.onEnded(message.code, howOf(message.code));
    }
  }

  /** The keeper has ended, so that nobody reads what its programs write, and nobody would end them. */
  #lost(child: ChildProcess, how: string): void {
    if (this.#child !== child) return;
    this.#child = null;
    const programs = [...this.#programs.values()];
    this.#programs.clear();
    if (programs.some(({ pid }) => pid !== 0))
      this.#options.log.error(`The keeper of sidecars and schedules is lost: ${how}`);
    for (const { pid, onEnded, onFailed } of programs) {
      if (pid === 0) onFailed(`its keeper is lost: ${how}`);
      else {
        killGroup(pid);
        onEnded(-constants.signals.SIGKILL, 'with its keeper');
      }
    }
  }
}

function howOf(code: number): string {
  return code >= 0 ? `with exit code ${code}` : `of ${signalName(-code)}`;
}

/** Passes each line of the standard output to `onLine`. */
function readLines({ stdout }: ChildProcess, onLine: (line: string) => void): void {
  let rest = '';
  stdout?.setEncoding('utf8').on('data', (block: string) => {
    const lines = (rest + block).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) onLine(line);
    if (rest.length > LINE_CHARS_MAX) onLine(rest);
  });
}
