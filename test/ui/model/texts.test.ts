import { deepEqual, equal, ok } from 'node:assert/strict';
import { describe, it } from 'node:test';
import { sqlTitle } from '../../../src/trace/sql-line.ts';
import { age, bytes, difference, duration, percent, shortPath } from '../../../ui/model/format.ts';
import { parseSearch, prepend } from '../../../ui/model/request-filter.ts';
import { formatSql } from '../../../ui/model/sql.ts';
import { summaryAt } from '../fixtures/summaries.ts';

describe('numbers for people', () => {
  it('have three digits and the unit that fits', () => {
    const times = [0, 480, 999, 1000, 12_345, 999_499, 1_250_000, 59_000_000, 90_000_000];
    deepEqual(times.map(duration), [
      '0 µs',
      '480 µs',
      '999 µs',
      '1.00 ms',
      '12.3 ms',
      '999 ms',
      '1.25 s',
      '59.0 s',
      '1.5 min',
    ]);
    deepEqual([0, 900, 1024, 41_800_000].map(bytes), ['0 B', '900 B', '1.00 KiB', '39.9 MiB']);
    deepEqual([0, 0.0042, 0.5, 1].map(percent), ['0 %', '0.4 %', '50 %', '100 %']);
    deepEqual([0, 1500, -1500].map(difference), ['±0', '+1.50 ms', '−1.50 ms']);
    deepEqual([900, 70_000, 7_200_000, 400_000_000].map(age), ['1 s', '70 s', '2 h', '5 d']);
  });

  it('leave of a path what people know', () => {
    equal(
      shortPath('/srv/x/.venv/lib/python3.12/site-packages/django/db/models/query.py'),
      'django/db/models/query.py',
    );
    equal(shortPath('/srv/bridges/catalogue/views.py'), 'bridges/catalogue/views.py');
  });
});

describe('the text of a query', () => {
  for (const [sql, formatted] of [
    [
      'SELECT a, b FROM t WHERE x = 1 AND y = 2 ORDER BY a LIMIT 3',
      'SELECT a, b\nFROM t\nWHERE x = 1\n  AND y = 2\nORDER BY a\nLIMIT 3',
    ],
    ['SELECT a FROM t LEFT OUTER JOIN u ON t.id = u.id', 'SELECT a\nFROM t\nLEFT OUTER JOIN u ON t.id = u.id'],
    ["SELECT 'FROM x WHERE' FROM t", "SELECT 'FROM x WHERE'\nFROM t"],
    [
      'SELECT a FROM t WHERE id IN (SELECT id FROM u WHERE v = 1 OR w = 2)',
      'SELECT a\nFROM t\nWHERE id IN (SELECT id FROM u WHERE v = 1 OR w = 2)',
    ],
    ['INSERT INTO t (a) VALUES (1) RETURNING id', 'INSERT INTO t (a)\nVALUES (1)\nRETURNING id'],
    ['UPDATE "t" SET "from" = 2 WHERE id = 3', 'UPDATE "t"\nSET "from" = 2\nWHERE id = 3'],
    ['DELETE FROM t', 'DELETE FROM t'],
    ['', ''],
  ] as const)
    it(`has a line for each clause: ${sql.slice(0, 40)}`, () => {
      equal(formatSql(sql), formatted);
    });

  it('keeps all characters but white space', () => {
    const sql = 'SELECT "a""b", \'it\'\'s\' FROM t -- FROM comment\nWHERE x = %s AND (y)) OR `z` = 1';
    const bare = (text: string): string => text.replace(/\s/g, '');
    equal(bare(formatSql(sql)), bare(sql));
  });

  it('is handled in time, however it is made', () => {
    for (const sql of ['('.repeat(20_000), "'".repeat(19_999), 'FROM '.repeat(4000), `SELECT ${'a, '.repeat(6000)}`])
      ok(formatSql(sql).length >= sql.trim().length - 1);
  });

  it('has a title', () => {
    equal(sqlTitle('select x from "t"'), 'SELECT t');
    equal(sqlTitle('INSERT INTO `u` (a) VALUES (1)'), 'INSERT u');
  });
});

describe('the search for requests', () => {
  it('reads words with and without names', () => {
    const query = parseSearch('POST /orders -/static/ 5xx min:1.5s route:api sql:"from orders" error:Timeout');
    deepEqual(query, {
      method: 'POST',
      path: '/orders',
      not_path: '/static/',
      status: '5xx',
      route: 'api',
      min_ms: '1500',
      sql: 'from orders',
      error: 'Timeout',
    });
  });

  it('takes what it does not know as a part of the path', () => {
    equal(parseSearch('?next=/admin/').path, '?next=/admin/');
    equal(parseSearch('http://x').path, 'http://x');
    equal(parseSearch('"404"').path, '404');
    equal(parseSearch('"-/static/"').path, '-/static/');
    equal(parseSearch('-').path, '-');
  });

  it('puts new requests in front, each once, up to the limit', () => {
    const list = [summaryAt(3, 0), summaryAt(2, 0)];
    const numbers = prepend(list, [summaryAt(3, 0), summaryAt(4, 0), summaryAt(5, 0)], 3).map(({ number }) => number);
    deepEqual(numbers, [5, 4, 3]);
    equal(prepend(list, [summaryAt(1, 0)], 3), list);
  });
});
