import type { Log } from '../log/log.ts';
import { RestartPolicy } from '../workers/restart-policy.ts';
import type { Keeper, RunningProgram } from './keeper.ts';
import type { SidecarOptions } from './options.ts';

/** A sidecar for `viaduct status`. It is sent as JSON, as it is; docs/control-api.yaml describes it. */
export interface SidecarStatus {
  readonly name: string;
  readonly state: SidecarState;
  readonly pid: number | null;
  /** How often it was started again after it had ended by itself, since the start of the server. */
  readonly restarts: number;
  /** ISO 8601; null while it does not run. */
  readonly started_at: string | null;
  /** How it ended last: `with exit code 1`, `of SIGKILL`; null if it has not ended so far. */
  readonly last_end: string | null;
}

/** `waiting`: it has ended, and is started again later. `ended`: it stays so. */
export type SidecarState = 'starting' | 'running' | 'waiting' | 'restarting' | 'stopping' | 'ended';

/** One that has run for this long counts as working again. */
const WORKING_MS = 5000;

/** One program that runs beside the application: starts it, and starts it again when it ends. */
export class Sidecar {
  readonly name: string;
  state: SidecarState = 'starting';
  options: SidecarOptions;
  readonly #keeper: Keeper;
  readonly #log: Log;
  #python: string;
  #policy = new RestartPolicy();
  #program: RunningProgram | null = null;
  #pid: number | null = null;
  #restarts = 0;
  #startedMs = 0;
  #lastEnd: string | null = null;
  #timer: NodeJS.Timeout | null = null;
  /** The delay that the log has reported. A longer one is reported again, the longest only once. */
  #reportedMs = -1;
  #failures = 0;
  /** The log has said that it reports no further attempt. */
  #isQuiet = false;
  #onStopped: (() => void)[] = [];

  constructor(options: SidecarOptions, python: string, keeper: Keeper, log: Log) {
    this.name = options.name;
    this.options = options;
    this.#python = python;
    this.#keeper = keeper;
    this.#log = log;
  }

  status(): SidecarStatus {
    return {
      name: this.name,
      state: this.state,
      pid: this.#pid,
      restarts: this.#restarts,
      started_at: this.#pid === null ? null : new Date(this.#startedMs).toISOString(),
      last_end: this.#lastEnd,
    };
  }

  start(): void {
    this.state = 'starting';
    this.#startedMs = Date.now();
    this.#program = this.#keeper.start(this.#python, this.options.program, {
      onStarted: (pid) => this.#onStarted(pid),
      onFailed: (reason) => this.#onEnd(1, `could not be started: ${reason}`),
      onOutput: (text) => this.#log.info(text, { sidecar: this.name }),
      onOverdue: () => {
        const { graceMs } = this.options.program;
        this.#log.warn(`sidecar ${this.name} still ran ${graceMs / 1000} s after its stop signal, and is killed`);
      },
      onEnded: (code, how) => this.#onEnd(code, `ended ${how}`),
    });
  }

  /** Uses these options. Stops and starts it, unless a reload keeps it and nothing has changed. */
  reload(options: SidecarOptions, python: string): void {
    const isSame = JSON.stringify([this.options, this.#python]) === JSON.stringify([options, python]);
    this.options = options;
    this.#python = python;
    if (isSame && options.reload === 'keep' && this.state !== 'stopping') return;
    this.#policy = new RestartPolicy();
    this.#forgetFailures();
    if (this.state === 'waiting' || this.state === 'ended') {
      this.#cancelTimer();
      this.start();
    } else {
      this.state = 'restarting';
      this.#program?.stop();
    }
  }

  /** It is not started again from now on. */
  freeze(): void {
    this.#cancelTimer();
    if (this.state === 'waiting') this.state = 'ended';
    else if (this.state !== 'ended') this.state = 'stopping';
  }

  /** Asks it to end. Resolves when it has ended. */
  stop(): Promise<void> {
    this.freeze();
    if (this.#program === null) return Promise.resolve();
    this.#program.stop();
    return new Promise((resolve) => this.#onStopped.push(resolve));
  }

  #onStarted(pid: number): void {
    this.#pid = pid;
    if (this.state === 'starting') this.state = 'running';
    if (this.#failures === 0 || !this.#isQuiet) this.#log.info(`sidecar ${this.name} (pid ${pid}) has started`);
    if (this.#failures === 0) return;
    this.#timer = setTimeout(() => {
      this.#log.info(`sidecar ${this.name} (pid ${pid}) runs again, after ${this.#failures} failed attempts`);
      this.#forgetFailures();
    }, WORKING_MS);
  }

  #onEnd(code: number, what: string): void {
    const who = this.#pid === null ? this.name : `${this.name} (pid ${this.#pid})`;
    const livedMs = Date.now() - this.#startedMs;
    this.#cancelTimer();
    this.#pid = null;
    this.#program = null;
    this.#lastEnd = what.replace(/^ended /, '');
    const isExpected = this.state === 'restarting' || this.state === 'stopping';
    if (this.state === 'restarting') this.start();
    else if (this.state === 'stopping') this.state = 'ended';
    else if (this.options.restart === 'never' || (this.options.restart === 'on-failure' && code === 0)) {
      this.state = 'ended';
      const level = code === 0 ? 'info' : 'error';
      this.#log[level](`sidecar ${who} ${what}, and is not started again (restart = "${this.options.restart}")`);
    } else this.#startLater(who, what, livedMs);
    if (isExpected) for (const resolve of this.#onStopped.splice(0)) resolve();
  }

  #startLater(who: string, what: string, livedMs: number): void {
    this.state = 'waiting';
    if (livedMs >= WORKING_MS) this.#forgetFailures();
    const delayMs = this.#policy.delayAfter(livedMs);
    this.#failures += 1;
    if (delayMs > this.#reportedMs) {
      this.#log.error(`sidecar ${who} ${what}; it is started again ${delayMs === 0 ? 'now' : `in ${delayMs} ms`}`);
      this.#reportedMs = delayMs;
    } else if (!this.#isQuiet) {
      this.#isQuiet = true;
      this.#log.error(
        `sidecar ${who} ${what} again; further attempts follow every ${delayMs / 1000} s, and the log reports the first that works`,
      );
    }
    this.#timer = setTimeout(() => {
      this.#restarts += 1;
      this.start();
    }, delayMs);
  }

  #forgetFailures(): void {
    this.#failures = 0;
    this.#reportedMs = -1;
    this.#isQuiet = false;
  }

  #cancelTimer(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }
}
