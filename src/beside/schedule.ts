import type { Log } from '../log/log.ts';
import type { NextRun } from './cron.ts';
import type { Keeper, RunningProgram } from './keeper.ts';
import type { ScheduleOptions } from './options.ts';

/** A schedule for `viaduct status`. It is sent as JSON, as it is; docs/control-api.yaml describes it. */
export interface ScheduleStatus {
  readonly name: string;
  readonly state: 'waiting' | 'running' | 'stopping' | 'ended';
  /** The fields of cron, or `every 300 s`. */
  readonly when: string;
  /** ISO 8601; null if it does not run again. */
  readonly next_at: string | null;
  readonly pid: number | null;
  readonly runs: number;
  /** Runs that were left out, because the one before still ran or the clock had jumped. */
  readonly skipped: number;
  /** The run that runs now, or the last one; null before the first. */
  readonly last_run: RunStatus | null;
}

export interface RunStatus {
  /** ISO 8601. */
  readonly started_at: string;
  /** Null while it runs. */
  readonly duration_ms: number | null;
  /** `timeout`: it took longer than `timeout_ms`. Null while it runs. */
  readonly result: 'success' | 'failure' | 'timeout' | null;
  /** `with exit code 1`, `of SIGKILL`, or why it could not be started; null while it runs. */
  readonly end: string | null;
}

/** A timer looks at the clock at least this often, because the clock may be set, and a machine may sleep. */
const LOOK_MS_MAX = 30_000;
/** A run that is later than this was missed. */
const LATE_MS_MAX = 60_000;

/** Runs a command at certain times, one run at a time. */
export class Schedule {
  readonly name: string;
  state: ScheduleStatus['state'] = 'waiting';
  readonly #keeper: Keeper;
  readonly #log: Log;
  readonly #nowMs: () => number;
  #options: ScheduleOptions;
  #python: string;
  #next: NextRun;
  #nextMs: number | null = null;
  #timer: NodeJS.Timeout | null = null;
  #limit: NodeJS.Timeout | null = null;
  #program: RunningProgram | null = null;
  #pid: number | null = null;
  #runs = 0;
  #skipped = 0;
  #isOverdue = false;
  #lastRun: RunStatus | null = null;
  #onStopped: (() => void)[] = [];

  /** `nowMs` is the clock. */
  constructor(
    options: ScheduleOptions,
    next: NextRun,
    python: string,
    keeper: Keeper,
    log: Log,
    nowMs: () => number = Date.now,
  ) {
    this.name = options.name;
    this.#options = options;
    this.#next = next;
    this.#python = python;
    this.#keeper = keeper;
    this.#log = log;
    this.#nowMs = nowMs;
  }

  status(): ScheduleStatus {
    return {
      name: this.name,
      state: this.state,
      when: whenText(this.#options),
      next_at: this.#nextMs === null ? null : new Date(this.#nextMs).toISOString(),
      pid: this.#pid,
      runs: this.#runs,
      skipped: this.#skipped,
      last_run: this.#lastRun,
    };
  }

  /** Waits for the next time. Whatever was missed before is not run. */
  start(): void {
    this.#nextMs = this.#next(this.#nowMs());
    this.#wait();
  }

  /** Uses these options for the next run. The one that runs goes on. */
  reload(options: ScheduleOptions, next: NextRun, python: string): void {
    const isSame = JSON.stringify(this.#options.when) === JSON.stringify(options.when);
    this.#options = options;
    this.#python = python;
    this.#next = next;
    if (this.state === 'stopping') this.state = 'running';
    else if (this.state === 'ended') this.state = 'waiting';
    if (!isSame || this.#nextMs === null) this.start();
  }

  /** No run starts from now on. */
  freeze(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#nextMs = null;
    this.state = this.#program === null ? 'ended' : 'stopping';
  }

  /** Ends the run that runs. Resolves when it has ended. */
  stop(): Promise<void> {
    this.freeze();
    if (this.#program === null) return Promise.resolve();
    this.#program.stop();
    return new Promise((resolve) => this.#onStopped.push(resolve));
  }

  #wait(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#nextMs === null) return;
    const waitMs = Math.min(Math.max(this.#nextMs - this.#nowMs(), 0), LOOK_MS_MAX);
    this.#timer = setTimeout(() => this.#look(), waitMs);
  }

  #look(): void {
    const now = this.#nowMs();
    const due = this.#nextMs;
    if (due !== null && now >= due) {
      this.#nextMs = this.#next(due);
      if (this.#nextMs !== null && this.#nextMs <= now) this.#nextMs = this.#next(now);
      if (now - due > LATE_MS_MAX)
        this.#skip(`was missed at ${new Date(due).toISOString()}: the clock has jumped, or the machine slept`);
      else if (this.#program !== null) this.#skip('is left out: the run before still runs');
      else this.#run();
    }
    this.#wait();
  }

  #skip(reason: string): void {
    this.#skipped += 1;
    this.#log.warn(`A run of schedule ${this.name} ${reason}`);
  }

  #run(): void {
    const { program, timeoutMs } = this.#options;
    const startedMs = this.#nowMs();
    const started_at = new Date(startedMs).toISOString();
    this.state = 'running';
    this.#runs += 1;
    this.#isOverdue = false;
    this.#lastRun = { started_at, duration_ms: null, result: null, end: null };
    const end = (code: number, how: string): void => {
      const result = this.#isOverdue ? 'timeout' : code === 0 ? 'success' : 'failure';
      this.#lastRun = { started_at, duration_ms: Math.round(this.#nowMs() - startedMs), result, end: how };
      this.#ended(this.#lastRun);
    };
    this.#program = this.#keeper.start(this.#python, program, {
      onStarted: (pid) => {
        this.#pid = pid;
        this.#log.info(`schedule ${this.name} (pid ${pid}) has started`);
      },
      onFailed: (reason) => end(1, `because it could not be started: ${reason}`),
      onOutput: (text) => this.#log.info(text, { schedule: this.name }),
      onOverdue: () =>
        this.#log.warn(
          `schedule ${this.name} still ran ${program.graceMs / 1000} s after its stop signal, and is killed`,
        ),
      onEnded: end,
    });
    this.#limit = setTimeout(() => this.#timeOut(), timeoutMs);
  }

  #timeOut(): void {
    this.#isOverdue = true;
    this.#log.error(
      `schedule ${this.name} has run for ${this.#options.timeoutMs / 1000} s (timeout_ms), and is stopped`,
    );
    this.#program?.stop();
  }

  #ended({ duration_ms, result, end }: RunStatus): void {
    if (this.#limit !== null) clearTimeout(this.#limit);
    this.#limit = null;
    this.#program = null;
    const who = this.#pid === null ? this.name : `${this.name} (pid ${this.#pid})`;
    this.#pid = null;
    const text = `schedule ${who} ended ${end} after ${((duration_ms ?? 0) / 1000).toFixed(1)} s`;
    if (result === 'success' || this.state === 'stopping') this.#log.info(text);
    else this.#log.error(text);
    this.state = this.state === 'stopping' ? 'ended' : 'waiting';
    for (const resolve of this.#onStopped.splice(0)) resolve();
  }
}

function whenText({ when }: ScheduleOptions): string {
  if ('everyMs' in when) return `every ${when.everyMs / 1000} s`;
  return when.timeZone === undefined ? when.cron : `${when.cron} (${when.timeZone})`;
}
