import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { newRecord } from '../../src/http/request-record.ts';
import { hasLine, type LineRule } from '../../src/log/line-rule.ts';

const NONE: LineRule = { sample: 0, errors: false, slowMs: 0 };

function chosen(rule: Partial<LineRule>, id = 'id', status = 200, ms = 1, reason = ''): boolean {
  return hasLine({ ...NONE, ...rule }, { ...newRecord(), id, reason }, status, ms);
}

describe('the rule for lines of the access log', () => {
  it('keeps errors and slow requests if it says so', () => {
    assert.deepEqual([chosen({}), chosen({}, 'id', 500), chosen({}, 'id', 200, 1e9)], [false, false, false]);
    const errors = [200, 304, 399, 400, 404, 499, 503].map((status) => chosen({ errors: true }, 'id', status));
    assert.deepEqual(errors, [false, false, false, true, true, true, true]);
    assert.equal(chosen({ errors: true }, 'id', 200, 1, 'client left'), true, 'a response that broke off');
    assert.deepEqual(
      [chosen({ slowMs: 500 }, 'id', 200, 499.9), chosen({ slowMs: 500 }, 'id', 200, 500)],
      [false, true],
    );
    assert.equal(chosen({ sample: 1 }), true);
  });

  it('keeps the share that it says, also of ids that differ in the last letter only', () => {
    for (const sample of [0.01, 0.1, 0.5]) {
      for (const idOf of [(n: number) => `9f2c4e5a01b7-${n.toString(36)}`, (n: number) => `${n}-shop`]) {
        let kept = 0;
        for (let n = 0; n < 100_000; n += 1) if (chosen({ sample }, idOf(n))) kept += 1;
        assert.ok(Math.abs(kept / 100_000 - sample) < 0.1 * sample, `${kept} of 100000 for ${sample}`);
        for (let from = 0; from < 100_000; from += 10_000) {
          let some = 0;
          for (let n = from; n < from + 10_000; n += 1) if (chosen({ sample }, idOf(n))) some += 1;
          assert.ok(Math.abs(some / 10_000 - sample) < 0.4 * sample, `${some} of 10000 for ${sample}`);
        }
      }
    }
  });

  it('chooses by the id alone, and a larger sample has the smaller one in it', () => {
    const ids = Array.from({ length: 2000 }, (_, n) => `request-${n}`);
    const few = ids.filter((id) => chosen({ sample: 0.05 }, id));
    const many = new Set(ids.filter((id) => chosen({ sample: 0.2 }, id)));
    assert.ok(few.length > 0 && few.every((id) => many.has(id)));
    assert.deepEqual(few.slice(0, 3), ids.filter((id) => chosen({ sample: 0.05 }, id)).slice(0, 3));
  });
});
