import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isWanted, type LineFacts, type LogFilter } from '../../src/log/log-tap.ts';

const ANY: LogFilter = { errors: false, request: '', route: '', status: '', path: '', minMs: 0 };
const ANSWERED: LineFacts = {
  isError: true,
  request: 'id-1',
  route: 'shop',
  answered: { status: 503, path: '/shop/cart', ms: 120 },
};
const OTHER: LineFacts = { isError: false, request: '', route: '', answered: null };

describe('a filter of the logs', () => {
  it('lets everything pass without a condition', () => {
    assert.deepEqual([isWanted(ANY, ANSWERED), isWanted(ANY, OTHER)], [true, true]);
  });

  const passing: Partial<LogFilter>[] = [
    { errors: true },
    { request: 'id-1' },
    { route: 'shop' },
    { status: '503' },
    { status: '5xx' },
    { path: '/cart' },
    { minMs: 120 },
    { errors: true, request: 'id-1', route: 'shop', status: '5xx', path: 'shop', minMs: 1 },
  ];
  const stopping: Partial<LogFilter>[] = [
    { request: 'id-2' },
    { route: 'sho' },
    { status: '500' },
    { status: '4xx' },
    { path: '/CART' },
    { minMs: 120.1 },
    { status: '5xx', path: 'other' },
  ];
  for (const filter of passing)
    it(`lets an answered request pass with ${JSON.stringify(filter)}, and no other line`, () => {
      assert.deepEqual(
        [isWanted({ ...ANY, ...filter }, ANSWERED), isWanted({ ...ANY, ...filter }, OTHER)],
        [true, false],
      );
    });
  for (const filter of stopping)
    it(`stops an answered request with ${JSON.stringify(filter)}`, () =>
      assert.equal(isWanted({ ...ANY, ...filter }, ANSWERED), false));
});
