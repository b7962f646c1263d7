import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { ROOT } from '../support/viaduct.ts';
import { cellsOf, FRONTS } from './cells.ts';
import { DEVIATIONS, expected, listOf } from './deviations.ts';
import { renderMatrix } from './page.ts';
import { versions } from './peers.ts';
import { SUITE } from './suite.ts';

const PAGE = join(ROOT, 'docs/swap.md');
const MARKS = ['<!-- Written by test/swap/page.test.ts: do not edit. -->', '<!-- End of what is written. -->'] as const;

describe('docs/swap.md', () => {
  it('says what the matrix expects', () => {
    const [begin, end] = MARKS;
    const page = readFileSync(PAGE, 'utf8');
    const from = page.indexOf(begin);
    const to = page.indexOf(end);
    assert.ok(from >= 0 && to > from, 'the marks of the written part are missing');
    const matrix = renderMatrix(versions(readFileSync(join(ROOT, 'test/requirements.txt'), 'utf8')));
    const written = `${page.slice(0, from)}${begin}\n\n${matrix}\n\n${page.slice(to)}`;
    if (process.env.VIADUCT_WRITE_DOCS === '1') writeFileSync(PAGE, written);
    else assert.equal(page, written, 'VIADUCT_WRITE_DOCS=1 writes it anew');
  });
});

describe('the expected deviations', () => {
  const cells = FRONTS.flatMap((front) => cellsOf(front));

  it('are each expected of some cell', () => {
    const used = new Set(cells.flatMap((cell) => SUITE.map(({ name }) => expected(cell, name))));
    assert.deepEqual(
      DEVIATIONS.filter((deviation) => !used.has(deviation)),
      [],
    );
  });

  it('name cases of the suite', () => {
    const names = new Set(SUITE.map(({ name }) => name));
    assert.deepEqual(
      DEVIATIONS.flatMap((deviation) => listOf<string>(deviation.case)).filter((name) => !names.has(name)),
      [],
    );
  });

  it("are never Viaduct's own", () => {
    const own = cells.filter(({ front, backend }) => front === 'Viaduct' && backend === 'Viaduct');
    assert.deepEqual(
      own.flatMap((cell) => SUITE.filter(({ name }) => expected(cell, name) !== null)),
      [],
    );
    for (const { front, backend, because } of DEVIATIONS) {
      const everyFront = front === 'Viaduct' && backend === undefined;
      const everyBackend = backend === 'Viaduct' && front === undefined;
      assert.ok(!everyFront && !everyBackend, because);
    }
  });
});
