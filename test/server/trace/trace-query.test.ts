import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readTraceQuery } from '../../../src/server/trace/trace-query.ts';

const read = (query: string) => readTraceQuery(new URLSearchParams(query));

describe('the conditions of a list of requests', () => {
  it('are those of the query', () => {
    assert.deepEqual(read(''), { limit: 100 });
    assert.deepEqual(
      read('method=get&path=/shop&not_path=.css&status=5XX&route=shop&min_ms=1.5&sql=select&error=Key&after=7&limit=5'),
      {
        method: 'GET',
        path: '/shop',
        notPath: '.css',
        status: '5xx',
        route: 'shop',
        minUs: 1500,
        sql: 'select',
        error: 'Key',
        after: 7,
        limit: 5,
      },
    );
    assert.deepEqual(read('method=&path=&status=&min_ms=&after='), { limit: 100 });
  });

  for (const query of [
    'status=600',
    'status=5',
    'status=50x',
    'min_ms=-1',
    'min_ms=1e9',
    'min_ms=x',
    'after=-1',
    'limit=0',
    'limit=10001',
    'limit=',
    `sql=${'a'.repeat(1001)}`,
  ])
    it(`are refused in ${query.slice(0, 20)}`, () => assert.equal(typeof read(query), 'string'));
});
