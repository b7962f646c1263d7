import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Outcomes } from '../../src/workers/outcomes.ts';
import { figuresOf, verdictOn } from '../../src/workers/verdict.ts';

/** `requests` requests of `ms` each; every `failing`th fails, 0 for none. */
function outcomesOf(requests: number, ms: number, failing = 0): Outcomes {
  const outcomes = new Outcomes();
  for (let i = 1; i <= requests; i += 1) {
    const status = failing > 0 && i % failing === 0 ? 500 : 200;
    outcomes.note(status, { queueUs: Math.round(ms * 400), pythonUs: Math.round(ms * 600) });
  }
  return outcomes;
}

describe('the outcomes of requests', () => {
  it('know every time to an eighth, from a microsecond to an hour', () => {
    for (let us = 0; us < 3_600_000_000; us = Math.ceil(us * 1.07) + 1) {
      const outcomes = new Outcomes();
      outcomes.note(200, { queueUs: 0, pythonUs: us });
      const found = outcomes.timeMs(0.5) * 1000;
      assert.ok(Math.abs(found - us) <= us / 8, `${us} µs are ${found} µs`);
    }
  });

  it('find p50 and p95', () => {
    const outcomes = outcomesOf(90, 10);
    outcomes.add(outcomesOf(10, 1000));
    assert.ok(Math.abs(outcomes.timeMs(0.5) - 10) < 1.3);
    assert.ok(Math.abs(outcomes.timeMs(0.9) - 10) < 1.3);
    assert.ok(Math.abs(outcomes.timeMs(0.95) - 1000) < 130);
  });

  it('count an answer of this server, which has no time, as failed by its status', () => {
    const outcomes = new Outcomes();
    outcomes.note(502, { queueUs: -1, pythonUs: -1 });
    outcomes.note(404, { queueUs: 10, pythonUs: 10 });
    assert.deepEqual([outcomes.requests, outcomes.failures, outcomes.timed], [2, 1, 1]);
    assert.equal(outcomes.failureRate, 0.5);
  });

  it('are nothing at first', () => {
    const outcomes = new Outcomes();
    assert.deepEqual([outcomes.failureRate, outcomes.timeMs(0.95)], [0, 0]);
  });

  it('forget times without forgetting requests', () => {
    const outcomes = outcomesOf(10, 1000, 2);
    outcomes.forgetTimes();
    assert.deepEqual([outcomes.requests, outcomes.failures, outcomes.timeMs(0.5)], [10, 5, 0]);
  });
});

describe('the verdict on a release', () => {
  const limits = { errorRateMax: 0.05, latencyRatioMax: 2, requestsMin: 50 };
  const cases: readonly (readonly [string, Outcomes, Outcomes, number, RegExp])[] = [
    ['is good when nothing differs', outcomesOf(500, 20, 10), outcomesOf(100, 20, 10), 0, /^$/],
    ['is good without any request', outcomesOf(500, 20), outcomesOf(0, 0), 0, /^$/],
    [
      'is bad when many fail, whatever became of a few requests before',
      outcomesOf(2, 20, 2),
      outcomesOf(100, 20, 2),
      0,
      /^50\.0 % of its 100 requests failed \(only 2 requests before\)$/,
    ],
    ['is good when few fail and nothing is known of before', outcomesOf(0, 0), outcomesOf(100, 20, 25), 0, /^$/],
    [
      'is bad when more requests fail',
      outcomesOf(500, 20),
      outcomesOf(100, 20, 10),
      0,
      /^10\.0 % of its 100 requests failed \(0\.0 % before\)$/,
    ],
    ['is good when requests failed before, too', outcomesOf(500, 20, 10), outcomesOf(100, 20, 8), 0, /^$/],
    ['is good for few requests, whatever they do', outcomesOf(500, 20), outcomesOf(49, 900, 1), 0, /^$/],
    [
      'is bad when all fail, and nothing is known of the old release',
      outcomesOf(0, 0),
      outcomesOf(50, 20, 1),
      0,
      /^100\.0 % of its 50/,
    ],
    [
      'is bad when requests take more than twice as long',
      outcomesOf(500, 20),
      outcomesOf(100, 60),
      0,
      /^p50 of its 100 requests is \d+ ms \(\d+ ms before\)$/,
    ],
    ['is good when requests take longer by what nobody feels', outcomesOf(500, 0.5), outcomesOf(100, 5), 0, /^$/],
    [
      'is good when the old release had too few requests to compare times',
      outcomesOf(10, 20),
      outcomesOf(100, 200),
      0,
      /^$/,
    ],
    ['is good with an accident or two', outcomesOf(500, 20), outcomesOf(1, 20), 2, /^$/],
    ['is bad when workers keep dying', outcomesOf(500, 20), outcomesOf(1, 20), 3, /^3 of its workers died$/],
  ];
  for (const [title, before, after, crashes, expected] of cases)
    it(title, () => assert.match(verdictOn({ before, after, crashes }, limits), expected));

  it('sees that a tenth of the requests is slow', () => {
    const after = outcomesOf(180, 20);
    after.add(outcomesOf(20, 300));
    assert.match(verdictOn({ before: outcomesOf(500, 20), after, crashes: 0 }, limits), /^p95 of its 200 requests is/);
  });

  it('does not see it among few requests, where it may be chance', () => {
    const after = outcomesOf(90, 20);
    after.add(outcomesOf(10, 300));
    assert.equal(verdictOn({ before: outcomesOf(500, 20), after, crashes: 0 }, limits), '');
  });

  it('comes with the figures of both releases', () => {
    const figures = figuresOf({ before: outcomesOf(500, 20), after: outcomesOf(100, 20, 10), crashes: 1 });
    assert.match(
      figures,
      /^100 requests, 10\.0 % failed \(0\.0 % before\), p50 \d+ ms \(\d+ ms before\), p95 .*, 1 of its workers died$/,
    );
    assert.equal(
      figuresOf({ before: new Outcomes(), after: new Outcomes(), crashes: 0 }),
      '0 requests, 0.0 % failed (0.0 % before)',
    );
  });
});
