/** When a schedule runs next, in milliseconds since the epoch; null for never. */
export type NextRun = (afterMs: number) => number | null;

/**
 * Reads five fields of cron, or a name such as `@daily`. The library is loaded here, so only for configurations with a schedule.
 *
 * At a change of the clock, as Vixie cron does: a fixed time (one hour and one minute) that does not exist runs right after the gap, and one that
 * comes twice runs the first time. Everything else follows the clock: in a gap it does not run, and in a repeated hour it runs again.
 *
 * @throws TypeError or RangeError with the reason, for fields that cannot be used
 */
export async function readCron(fields: string, timeZone: string | undefined): Promise<NextRun> {
  const { Cron } = await import('croner');
  const cron = new Cron(fields, {
    paused: true,
    mode: '5-part',
    ...(timeZone === undefined ? {} : { timezone: timeZone }),
  });
  return (afterMs) => cron.nextRun(new Date(afterMs))?.getTime() ?? null;
}
