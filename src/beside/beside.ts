import type { SourceLocation } from '../config/site-entries.ts';
import { ViaductError } from '../errors.ts';
import type { Log } from '../log/log.ts';
import type { Identity } from '../os/process-user.ts';
import type { Configuration } from '../site/configuration.ts';
import { readCron } from './cron.ts';
import { Keeper } from './keeper.ts';
import { besideOptions } from './options.ts';
import type { ScheduleStatus } from './schedule.ts';
import { readTimes, Schedules } from './schedules.ts';
import type { SidecarStatus } from './sidecar.ts';
import { Sidecars } from './sidecars.ts';

/** The part of a status about what runs beside the application. */
export interface BesideStatus {
  readonly sidecars: readonly SidecarStatus[];
  readonly schedules: readonly ScheduleStatus[];
}

export interface BesideServerOptions {
  /** The user of the programs, if this process keeps the rights of root; null for the user of this process. */
  readonly identity: Identity | null;
  /** As the server was started. */
  readonly umask: number;
  readonly log: Log;
}

/** What runs beside the application: sidecars and schedules. The primary of several server processes has it, and they have none. */
export class Beside {
  readonly #options: BesideServerOptions;
  readonly #keeper: Keeper;
  readonly #sidecars: Sidecars;
  readonly #schedules: Schedules;
  #isFrozen = false;
  /** The last configuration to use. */
  #turn: Promise<void> = Promise.resolve();

  constructor(options: BesideServerOptions) {
    this.#options = options;
    this.#keeper = new Keeper(options);
    this.#sidecars = new Sidecars(this.#keeper, options.log);
    this.#schedules = new Schedules(this.#keeper, options.log);
  }

  /** Runs what `configuration` has, from its release on. Programs are restarted, except those that a reload keeps. */
  use(configuration: Configuration): void {
    const options = besideOptions(configuration, this.#options.identity);
    this.#turn = this.#turn.then(async () => {
      const times = await readTimes(options.schedules);
      if (this.#isFrozen) return;
      this.#sidecars.use(options);
      this.#schedules.use(options, times);
    });
    this.#turn.catch((error: Error) => {
      this.#turn = Promise.resolve();
      this.#options.log.error(`Cannot start sidecars and schedules: ${error.message}`);
    });
  }

  /** The server drains: what ends now stays so, and no schedule runs any more. */
  freeze(): void {
    this.#isFrozen = true;
    this.#sidecars.freeze();
    this.#schedules.freeze();
  }

  /** Asks all programs to end, and kills those that do not end in their time. Resolves when they have ended. */
  async stop(): Promise<void> {
    this.freeze();
    await Promise.all([this.#sidecars.stop(), this.#schedules.stop()]);
    this.#keeper.close();
  }

  /** Kills all programs at once. */
  kill(): void {
    this.freeze();
    this.#keeper.kill();
  }

  status(): BesideStatus {
    return { sidecars: this.#sidecars.status(), schedules: this.#schedules.status() };
  }
}

/**
 * Checks the times of schedules.
 *
 * @throws ViaductError `SETTINGS` with all errors, one per line
 */
export async function checkSchedules({ site }: Configuration, locate: SourceLocation): Promise<void> {
  const errors: string[] = [];
  for (const [index, { cron, time_zone: timeZone }] of (site?.schedule ?? []).entries()) {
    if (cron === undefined) continue;
    try {
      const next = await readCron(cron, timeZone);
      if (next(Date.now()) === null) throw new Error('it never comes');
    } catch (error) {
      const reason = (error as Error).message.replace(/^CronPattern: /, '');
      const where = locate.describe(['schedule', index, 'cron'], ` = "${cron}"`);
      errors.push(`Cannot use ${where}: it must be five fields of cron, such as 17 3 * * *, or @daily (${reason})`);
    }
  }
  if (errors.length > 0) throw new ViaductError('SETTINGS', errors.join('\n'));
}
