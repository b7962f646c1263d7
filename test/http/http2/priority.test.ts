import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { EarlyPriorities } from '../../../src/http/http2/early-priorities.ts';
import { parsePriority } from '../../../src/http/http2/priority.ts';

/** Values of the Priority field (RFC 9218 section 4), and what they say. */
const VALUES: readonly (readonly [string, number, boolean])[] = [
  ['', 3, false],
  ['u=0', 0, false],
  ['u=7', 7, false],
  ['i', 3, true],
  ['u=5, i', 5, true],
  ['u=5,i', 5, true],
  ['i,u=5', 5, true],
  [' u=5 ,\ti ', 5, true],
  ['i=?1', 3, true],
  ['i=?0', 3, false],
  ['u=1, u=2', 2, false],
  ['i, i=?0', 3, false],
  ['u=8', 3, false],
  ['u=-1', 3, false],
  ['u=10', 3, false],
  ['u=1.5', 3, false],
  ['u="1"', 3, false],
  ['u', 3, false],
  ['u=?1', 3, false],
  ['U=1', 3, false],
  ['i=1', 3, false],
  ['u=1;a=b, i;c', 1, true],
  ['unknown=5, u=2, x', 2, false],
  [',,,', 3, false],
  ['=', 3, false],
  [`u=1${', i'.repeat(1000)}`, 1, true],
];

describe('the value of Priority', () => {
  for (const [value, urgency, incremental] of VALUES) {
    it(`${JSON.stringify(value.slice(0, 30))} means urgency ${urgency}, ${incremental ? 'incremental' : 'not incremental'}`, () => {
      assert.deepEqual(parsePriority(value), { urgency, incremental });
    });
  }
});

describe('the priorities of streams that have not started', () => {
  const priority = (urgency: number) => ({ urgency, incremental: false });

  it('are those that came last, and go when their stream or a later one starts', () => {
    const early = new EarlyPriorities(3);
    assert.equal(early.take(1), undefined);
    assert.ok(early.set(5, priority(1)));
    assert.ok(early.set(9, priority(2)));
    assert.ok(early.set(7, priority(3)));
    assert.ok(early.set(5, priority(4)), 'it is not a new stream');
    assert.ok(!early.set(11, priority(5)), 'too many');
    assert.deepEqual(early.take(7), priority(3));
    assert.ok(early.set(11, priority(5)));
    assert.ok(early.set(13, priority(6)));
    assert.ok(!early.set(15, priority(6)));
    assert.deepEqual(early.take(9), priority(2));
    assert.deepEqual(early.take(99), undefined);
    assert.deepEqual(early.take(11), undefined);
  });
});
