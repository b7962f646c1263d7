import { deepEqual, equal } from 'node:assert/strict';
import { describe, it } from 'node:test';
import { selfTimes } from '../../../ui/model/self-time.ts';
import { ticks } from '../../../ui/model/ticks.ts';
import { endOf, groupId, rowsOf } from '../../../ui/model/tree.ts';
import { emptyTrace, SpanList } from '../fixtures/builder.ts';

const ALL = { text: '', minUs: 0 };
const NONE: ReadonlySet<number> = new Set();

/** A view from 100 to 900 with queries of 100 each, two of them at the same time, and what is before and after it. */
function traceWith(queries: number, changes = {}) {
  const list = new SpanList();
  list.add(-1, 'head', 'head', 0, 50);
  const view = list.add(-1, 'view', 'bridges', 100, 900);
  for (let index = 0; index < queries; index += 1)
    list.add(view, 'query', 'SELECT 1', 200 + index * 50, 300 + index * 50, { sql: 'SELECT 1' });
  list.add(-1, 'response', 'response', 900, null);
  return emptyTrace('a', '/', { durationUs: 1000, spans: list.spans, ...changes });
}

const names = (trace: ReturnType<typeof traceWith>, toggled = NONE, filter = ALL): string[] =>
  rowsOf(trace, toggled, filter).map(
    ({ span, level, group }) => `${level} ${span.kind}${group.length > 0 ? ` ${group.length}×` : ''}`,
  );

describe('the lines of the waterfall', () => {
  it('come below what they are within', () => {
    deepEqual(names(traceWith(2)), ['1 head', '1 view', '2 query', '2 query', '1 response']);
  });

  it('are not there if what they are within is closed', () => {
    deepEqual(names(traceWith(2), new Set([1])), ['1 head', '1 view', '1 response']);
  });

  it('join four and more that are alike, until the group is opened', () => {
    deepEqual(names(traceWith(4)), ['1 head', '1 view', '2 query 4×', '1 response']);
    deepEqual(names(traceWith(4), new Set([groupId(2)])).slice(2, 5), ['2 query 4×', '3 query', '3 query']);
  });

  it('are those that match, and what they are within', () => {
    deepEqual(names(traceWith(2), NONE, { text: 'select', minUs: 0 }), ['1 view', '2 query', '2 query']);
    deepEqual(names(traceWith(2), NONE, { text: '', minUs: 100 }), ['1 view', '2 query', '2 query', '1 response']);
    deepEqual(names(traceWith(9), NONE, { text: 'no such', minUs: 0 }), []);
  });

  it('ignore a parent that does not come before its child', () => {
    const list = new SpanList();
    list.add(1, 'view', 'a', 0, 10);
    list.add(0, 'view', 'b', 0, 10);
    list.add(2, 'view', 'c', 0, 10);
    list.add(99, 'view', 'd', 0, 10);
    deepEqual(names(emptyTrace('a', '/', { spans: list.spans })), ['1 view', '2 view', '1 view', '1 view']);
  });
});

describe('the time of a span alone', () => {
  it('is without what runs within it, each moment once', () => {
    deepEqual(selfTimes(traceWith(2)), [50, 650, 100, 100, 100]);
  });

  it('ends with the request if its end is not known', () => {
    equal(endOf(traceWith(0)), 1000);
    equal(endOf(traceWith(0, { durationUs: null })), 900);
  });
});

describe('the ticks of a time axis', () => {
  it('are round and within the axis', () => {
    deepEqual(ticks(0, 1000, 5), [0, 200, 400, 600, 800, 1000]);
    deepEqual(ticks(130, 190, 5), [140, 160, 180]);
    deepEqual(ticks(5, 5, 5), []);
  });
});
