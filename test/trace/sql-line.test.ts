import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { sqlLine } from '../../src/trace/sql-line.ts';

describe('sqlLine', () => {
  const columns = '"shop_book"."id", "shop_book"."title", "shop_book"."from"';
  const cases: readonly (readonly [title: string, sql: string, line: string])[] = [
    ['leaves out a long list of columns', `SELECT ${columns} FROM "shop_book"`, 'SELECT … FROM "shop_book"'],
    ['keeps DISTINCT', `select distinct ${columns}\n  from t`, 'select distinct … from t'],
    ['keeps a short list', 'SELECT COUNT(*) AS "n" FROM "t"', 'SELECT COUNT(*) AS "n" FROM "t"'],
    [
      'skips the FROM of a function and of a subquery',
      'SELECT EXTRACT(year FROM "made"), (SELECT MAX(n) FROM "u") AS "m" FROM "t" WHERE "n" = %s',
      'SELECT … FROM "t" WHERE "n" = %s',
    ],
    ['skips strings', "SELECT 'a long text that comes FROM somewhere else' FROM t", 'SELECT … FROM t'],
    [
      'keeps a query without FROM',
      'SELECT a_rather_long_name_of_a_function(1, 2, 3)',
      'SELECT a_rather_long_name_of_a_function(1, 2, 3)',
    ],
    ['keeps other statements', 'UPDATE t\n SET a = 1', 'UPDATE t SET a = 1'],
    [
      'keeps a string that does not end',
      "SELECT 'x FROM t, and so on and so on and so on",
      "SELECT 'x FROM t, and so on and so on and so on",
    ],
  ];
  for (const [title, sql, line] of cases) it(title, () => assert.equal(sqlLine(sql), line));
});
