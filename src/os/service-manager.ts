import { type ChildProcess, spawn } from 'node:child_process';
import type { Writable } from 'node:stream';
import { pythonFile } from '../program-files.ts';

const HELPER = pythonFile('notify.py');

/** A reload may take longer than systemd waits for it (TimeoutStartSec=), because of `watch_ms`. So it asks for more time, again and again. */
const EXTEND_EVERY_MS = 5000;
const EXTENSION = 'EXTEND_TIMEOUT_USEC=30000000';

/** The requests of the service manager in the environment (sd_notify(3), sd_watchdog_enabled(3)). */
export interface ServiceManagerOptions {
  readonly socket: string;
  /** The longest interval between two watchdog messages; 0 for no watchdog. */
  readonly watchdogMs: number;
}

/** Removes the variables from `environment`, so that the application cannot send messages for the server. Null without a manager. */
export function takeServiceManager(environment: NodeJS.ProcessEnv, pid: number): ServiceManagerOptions | null {
  const { NOTIFY_SOCKET: socket, WATCHDOG_USEC, WATCHDOG_PID } = environment;
  for (const name of ['NOTIFY_SOCKET', 'WATCHDOG_USEC', 'WATCHDOG_PID']) delete environment[name];
  if (socket === undefined || !/^[/@]./.test(socket)) return null;
  const isForUs = WATCHDOG_PID === undefined || Number(WATCHDOG_PID) === pid;
  const microseconds = Number(WATCHDOG_USEC);
  return { socket, watchdogMs: isForUs && microseconds > 0 ? microseconds / 1000 : 0 };
}

/**
 * Reports the state of the service to systemd. Node has no Unix datagram sockets, so a small Python process sends the messages, which it
 * gets through a pipe. That process ends with this one. Without a service manager it is never started.
 */
export class ServiceManager {
  readonly #options: ServiceManagerOptions | null;
  readonly #python: string;
  #helper: ChildProcess | null = null;
  #watchdog: NodeJS.Timeout | null = null;
  #extending: NodeJS.Timeout | null = null;
  #stopping = false;

  /** `python` is the path of an interpreter. */
  constructor(options: ServiceManagerOptions | null, python: string) {
    this.#options = options;
    this.#python = python;
  }

  /**
   * The server answers requests from now on. The watchdog gets its messages from this event loop, at half of its interval.
   *
   * @param isAlive asked before each watchdog message; no message is sent if it returns false
   */
  ready(status: string, isAlive: () => boolean = () => true): void {
    this.#endExtending();
    if (this.#stopping) return; // a reload can end while the server stops
    this.#send(`READY=1\nMAINPID=${process.pid}\nSTATUS=${oneLine(status)}`);
    const everyMs = (this.#options?.watchdogMs ?? 0) / 2;
    if (everyMs === 0 || this.#watchdog !== null) return;
    this.#watchdog = setInterval(() => isAlive() && this.#send('WATCHDOG=1'), everyMs);
    this.#watchdog.unref();
  }

  /** A new release starts. `ready` follows, even if the release fails. */
  reloading(): void {
    if (this.#stopping) return; // systemd would take the service for one that runs
    const microseconds = process.hrtime.bigint() / 1000n; // CLOCK_MONOTONIC
    this.#send(`RELOADING=1\nMONOTONIC_USEC=${microseconds}\n${EXTENSION}\nSTATUS=Reloading`);
    if (this.#options !== null) this.#extending ??= setInterval(() => this.#send(EXTENSION), EXTEND_EVERY_MS).unref();
  }

  stopping(status: string): void {
    this.#stopping = true;
    this.#endExtending();
    this.#send(`STOPPING=1\nSTATUS=${oneLine(status)}`);
  }

  /** Ends the helper once it has sent everything. */
  close(): void {
    if (this.#watchdog !== null) clearInterval(this.#watchdog);
    this.#endExtending();
    this.#helper?.stdin?.end();
    this.#helper = null;
  }

  #endExtending(): void {
    if (this.#extending !== null) clearInterval(this.#extending);
    this.#extending = null;
  }

  #send(message: string): void {
    if (this.#options === null) return;
    this.#helper ??= this.#startHelper(this.#options.socket);
    this.#helper.stdin?.write(`${message}\0`);
  }

  #startHelper(socket: string): ChildProcess {
    const helper = spawn(this.#python, ['-I', '-S', HELPER, `${process.pid}`], {
      env: { ...process.env, NOTIFY_SOCKET: socket },
      stdio: ['pipe', 'ignore', 'inherit'],
    });
    const forget = (): void => {
      if (this.#helper === helper) this.#helper = null;
    };
    helper.once('error', forget).once('exit', forget);
    helper.stdin?.on('error', forget);
    helper.unref();
    (helper.stdin as (Writable & { unref(): void }) | undefined)?.unref(); // undefined if no descriptors are left
    return helper;
  }
}

function oneLine(text: string): string {
  return text.replace(/[\0\r\n]+/g, ' ');
}
