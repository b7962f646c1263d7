import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ViaductError } from '../../src/errors.ts';
import { watchReleases } from '../../src/server/release-watch.ts';
import type { TrialReport } from '../../src/workers/application-server.ts';
import { Outcomes } from '../../src/workers/outcomes.ts';

const LIMITS = { errorRateMax: 0.05, latencyRatioMax: 2, requestsMin: 10 };

describe('the watch of new releases', () => {
  function trial(change: Partial<TrialReport> = {}) {
    const report: TrialReport = {
      ...{ before: new Outcomes(), after: new Outcomes(), crashes: 0, traceback: '', isAlone: false },
      ...change,
    };
    return { trial: report as TrialReport | null, trialFailure: null as ViaductError | null };
  }
  const fill = (outcomes: Outcomes, requests: number, status = 200, ms = 1): void => {
    for (let i = 0; i < requests; i += 1) outcomes.note(status, { queueUs: 0, pythonUs: ms * 1000 });
  };
  const watch = (applications: Readonly<Record<string, ReturnType<typeof trial>>>, watchMs: number, signal = NEVER) =>
    watchReleases(new Map(Object.entries(applications)), { watchMs, limits: LIMITS }, signal);

  it('ends with the figures of each application, and says where they are too few', async () => {
    const [main, other] = [trial(), trial()];
    fill(main.trial?.after as Outcomes, 20);
    assert.deepEqual(await watch({ main, other }, 1), [
      'The new release stays: 20 requests, 0.0 % failed (0.0 % before)',
      'The new release of application other stays: 0 requests, 0.0 % failed (0.0 % before), too few to compare',
    ]);
  });

  it('ends at once when one of them is worse, with its last traceback', async () => {
    const other = trial({ traceback: 'Traceback\nKeyError\n' });
    fill(other.trial?.after as Outcomes, 20, 500);
    await assert.rejects(watch({ main: trial(), other }, 3_600_000), {
      code: 'WORKER',
      message:
        'Cannot use the new release of application other: 100.0 % of its 20 requests failed (only 0 requests before); the old one takes over again',
      cause: 'Traceback\nKeyError',
    });
  });

  it('does not count the times of its first quarter', async () => {
    const before = new Outcomes();
    fill(before, 100, 200, 20);
    const main = trial({ before });
    const after = main.trial?.after as Outcomes;
    fill(after, 9, 200, 2000);
    const watching = watch({ main }, 40);
    const forgotten = (async () => {
      while (after.timed > 0) await new Promise(setImmediate);
      fill(after, 20, 200, 20);
    })();
    await forgotten;
    await watching;
  });

  it('ends at once when no other release is left', async () => {
    await watch({ main: trial({ isAlone: true }) }, 3_600_000);
  });

  it('fails when the release has ended, with the reason', async () => {
    const main = trial();
    main.trial = null;
    main.trialFailure = new ViaductError('WORKER', 'its zygote ended');
    await assert.rejects(watch({ main }, 3_600_000), { message: 'its zygote ended' });
  });

  it('fails when the reload is cancelled', async () => {
    const cancel = new AbortController();
    const watching = watch({ main: trial() }, 3_600_000, cancel.signal);
    cancel.abort(new ViaductError('WORKER', 'another reload'));
    await assert.rejects(watching, { message: 'another reload' });
  });
});

const NEVER = new AbortController().signal;
