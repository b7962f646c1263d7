import { setTimeout as sleep } from 'node:timers/promises';
import { ViaductError } from '../errors.ts';
import { MAIN } from '../site/configuration.ts';
import type { ApplicationServer } from '../workers/application-server.ts';
import { figuresOf, type VerdictLimits, verdictOn } from '../workers/verdict.ts';

export interface WatchOptions {
  readonly watchMs: number;
  readonly limits: VerdictLimits;
}

/** How often the releases are compared. */
const TICK_MS = 100;
/** Caches are cold at first, so the times of this share of the watch do not count. */
const COLD = 0.25;

/**
 * Compares releases that are tried out with those that they would replace, by application, until `watchMs` is over. Resolves to a line of figures for
 * each. It ends at once when one is worse, and when an old release has died.
 *
 * @throws ViaductError `WORKER` that says why one of the new releases must not stay, or the reason of `signal`
 */
export async function watchReleases(
  applications: ReadonlyMap<string, Pick<ApplicationServer, 'trial' | 'trialFailure'>>,
  { watchMs, limits }: WatchOptions,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const watched = [...applications];
  const startMs = performance.now();
  let isCold = true;
  for (;;) {
    const elapsedMs = performance.now() - startMs;
    if (isCold && elapsedMs >= COLD * watchMs) {
      isCold = false;
      for (const [, { trial }] of watched) trial?.after.forgetTimes();
    }
    for (const [name, application] of watched) throwIfWorse(name, application, limits);
    const isAlone = watched.some(([, { trial }]) => trial?.isAlone === true);
    if (elapsedMs >= watchMs || isAlone) break;
    await sleep(Math.min(TICK_MS, watchMs - elapsedMs), null, { signal }).catch(() => {});
    if (signal.aborted) throw signal.reason;
  }
  return watched.flatMap(([name, { trial }]) => {
    if (trial === null) return [];
    const few = trial.after.requests < limits.requestsMin ? ', too few to compare' : '';
    return [`The new release${ofApplication(name)} stays: ${figuresOf(trial)}${few}`];
  });
}

function throwIfWorse(
  name: string,
  { trial, trialFailure }: Pick<ApplicationServer, 'trial' | 'trialFailure'>,
  limits: VerdictLimits,
): void {
  if (trial === null) throw trialFailure ?? new ViaductError('WORKER', 'Cannot use the new release: it has ended');
  const verdict = verdictOn(trial, limits);
  if (verdict === '') return;
  const traceback = trial.traceback.trimEnd();
  throw new ViaductError(
    'WORKER',
    `Cannot use the new release${ofApplication(name)}: ${verdict}; the old one takes over again`,
    {
      ...(traceback === '' ? {} : { cause: traceback }),
    },
  );
}

function ofApplication(name: string): string {
  return name === MAIN ? '' : ` of application ${name}`;
}
