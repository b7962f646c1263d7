import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { table } from '../../src/cli/table.ts';

const RED = '\x1b[31m9/9\x1b[39m';

describe('table', () => {
  it('aligns columns, whatever colours the cells have', () => {
    const rows = [
      ['NAME', 'BUSY', 'RUNS'],
      ['a long name', RED, 'x'],
      ['b', '0/9', ''],
    ];
    assert.equal(table(rows, 80), `NAME         BUSY  RUNS\na long name  ${RED}   x\nb            0/9\n`);
  });

  it('ends a line at the width of the terminal', () => {
    assert.equal(table([['name', 'GET /a/very/long/path']], 15), 'name  GET /a/v…\n');
    assert.equal(table([[RED, 'GET /a/very/long/path']], 10), '9/9  GET …\n');
    assert.equal(table([['name', 'exact']], 11), 'name  exact\n');
  });

  it('lets the last cell of a row be longer than its column', () => {
    assert.equal(
      table(
        [
          ['a', 'a title that is long'],
          ['b', '1', '2'],
        ],
        80,
      ),
      'a  a title that is long\nb  1  2\n',
    );
  });

  it('is empty without rows', () => assert.equal(table([], 80), ''));
});
