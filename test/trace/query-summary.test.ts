import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Span } from '../../src/trace/document.ts';
import { summarizeQueries } from '../../src/trace/query-summary.ts';

function query(sql: string, changes: Partial<Span> = {}): Span {
  return {
    parent: 0,
    kind: 'query',
    name: sql,
    startUs: 0,
    endUs: 10,
    attributes: { sql },
    file: 'views.py',
    line: 7,
    ...changes,
  };
}

describe('the summary of queries', () => {
  it('finds the same query with the same parameters', () => {
    const [one, other] = [1, 2].map((hash) =>
      query('SELECT %s', { attributes: { sql: 'SELECT %s', parameters_hash: hash } }),
    );
    const { count, us, duplicates, nPlusOne } = summarizeQueries([one, other, one] as Span[]);
    assert.deepEqual([count, us, duplicates.map((each) => each.count)], [3, 30, [2]]);
    assert.deepEqual(nPlusOne, [{ sql: 'SELECT %s', count: 3, us: 30, file: 'views.py', line: 7 }]);
  });

  it('counts two queries of a line as no pattern', () => {
    assert.deepEqual(summarizeQueries([query('SELECT 1'), query('SELECT 2')]).nPlusOne, []);
  });

  it('leaves out the ends of transactions', () => {
    const commit = query('COMMIT', { attributes: { transaction: 'commit' } });
    assert.deepEqual(summarizeQueries([commit, commit, commit]), { count: 0, us: 0, duplicates: [], nPlusOne: [] });
  });
});
