import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { spanRows } from '../../../src/cli/control/span-tree.ts';
import { palette } from '../../../src/cli/output.ts';
import type { Span } from '../../../src/trace/document.ts';
import { documentOf, spanOf } from '../../support/trace-document.ts';

const PLAIN = palette({ isTTY: false } as NodeJS.WriteStream);

function namesOf(spans: readonly Span[]): readonly string[] {
  return spanRows(documentOf({ spans, durationUs: 10_000 }), PLAIN).map((row) =>
    (row[2] as string).replace(/^[│├└ ]+/, ''),
  );
}

describe('the tree of a request', () => {
  it('has the query below a chain of thirty middleware', () => {
    const chain = Array.from({ length: 30 }, (_, index) =>
      spanOf({ kind: 'middleware', name: `m${index}`, parent: index - 1, startUs: 0, endUs: 10_000 }),
    );
    const query = spanOf({
      kind: 'query',
      parent: 29,
      startUs: 1,
      endUs: 9000,
      attributes: { sql: 'SELECT a FROM t' },
    });
    assert.deepEqual(namesOf([...chain, query]), [...chain.map(({ name }) => `middleware ${name}`), 'query SELECT t']);
  });

  it('leaves out short phases, but none that failed, took long or has parts', () => {
    const phase = { kind: 'phase', parent: 0, startUs: 0, endUs: 50 } as const;
    const names = namesOf([
      spanOf({ kind: 'middleware', name: 'm', startUs: 0, endUs: 10_000 }),
      spanOf({ ...phase, name: 'short' }),
      spanOf({ ...phase, name: 'failed', attributes: { error: 'KeyError' } }),
      spanOf({ ...phase, name: 'long', endUs: 500 }),
      spanOf({ ...phase, name: 'asks' }),
      spanOf({ kind: 'cache', name: 'get', parent: 4, startUs: 1, endUs: 2 }),
    ]);
    assert.deepEqual(names, ['middleware m', 'phase failed', 'phase long', 'phase asks', 'cache get']);
  });
});
