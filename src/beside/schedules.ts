import type { Log } from '../log/log.ts';
import { type NextRun, readCron } from './cron.ts';
import type { Keeper } from './keeper.ts';
import type { BesideOptions, ScheduleOptions } from './options.ts';
import { Schedule, type ScheduleStatus } from './schedule.ts';

/** The times of schedules, by their names. */
export type Times = ReadonlyMap<string, NextRun>;

/**
 * Reads when `schedules` run.
 *
 * @throws TypeError or RangeError as `readCron` does
 */
export async function readTimes(schedules: readonly ScheduleOptions[]): Promise<Times> {
  const entries = schedules.map(async ({ name, when }): Promise<[string, NextRun]> => {
    if ('everyMs' in when) return [name, (afterMs) => afterMs + when.everyMs];
    return [name, await readCron(when.cron, when.timeZone)];
  });
  return new Map(await Promise.all(entries));
}

/** The schedules of a server. */
export class Schedules {
  readonly #keeper: Keeper;
  readonly #log: Log;
  #schedules: readonly Schedule[] = [];

  constructor(keeper: Keeper, log: Log) {
    this.#keeper = keeper;
    this.#log = log;
  }

  /** Uses those of a configuration from now on. Runs that run go on, unless their schedule is gone. */
  use({ schedules, python }: BesideOptions, times: Times): void {
    const known = new Map(this.#schedules.map((schedule) => [schedule.name, schedule]));
    const used = schedules.map((options) => {
      const next = times.get(options.name) ?? (() => null);
      const schedule = known.get(options.name) ?? new Schedule(options, next, python, this.#keeper, this.#log);
      if (known.has(options.name)) schedule.reload(options, next, python);
      else schedule.start();
      return schedule;
    });
    const removed = this.#schedules.filter((schedule) => !used.includes(schedule));
    this.#schedules = [...used, ...removed];
    for (const schedule of removed) void schedule.stop().then(() => this.#forget(schedule));
  }

  /** A reload may have brought it back meanwhile. */
  #forget(schedule: Schedule): void {
    if (schedule.state === 'ended') this.#schedules = this.#schedules.filter((one) => one !== schedule);
  }

  /** No run starts from now on. */
  freeze(): void {
    for (const schedule of this.#schedules) schedule.freeze();
  }

  async stop(): Promise<void> {
    await Promise.all(this.#schedules.map((schedule) => schedule.stop()));
  }

  status(): readonly ScheduleStatus[] {
    return this.#schedules.map((schedule) => schedule.status());
  }
}
