import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { MUTANTS } from './mutants.ts';
import { runSeed } from './seed-runs.ts';

const BUILD = join(import.meta.dirname, '../..');
const SEEDS = 200;
const STEPS = 60_000;
/** All of them take minutes, so each fifth is tried here, and all with VIADUCT_ALL_MUTANTS=1. */
const CHOSEN = MUTANTS.filter((_, index) => process.env.VIADUCT_ALL_MUTANTS === '1' || index % 5 === 0);

describe('a defect in src/workers', () => {
  let copy = '';

  before(() => {
    copy = mkdtempSync(join(BUILD, 'mutants-'));
    for (const part of ['src', 'test/simulation', 'test/support/random.js']) {
      cpSync(join(BUILD, part), join(copy, part), { recursive: true });
    }
  });
  after(() => rmSync(copy, { recursive: true, force: true }));

  it('changes code that exists', () => {
    for (const { defect, file, from } of MUTANTS) {
      assert.ok(
        readFileSync(join(copy, 'src/workers', file), 'utf8').includes(from),
        `${defect}: ${file} contains ${from}`,
      );
    }
  });

  for (const { defect, file, from, to } of CHOSEN) {
    it(`is found by the simulation: ${defect}`, () => {
      const path = join(copy, 'src/workers', file);
      const original = readFileSync(path, 'utf8');
      writeFileSync(path, original.replaceAll(from, to));
      try {
        assert.ok(isFound(), `none of ${SEEDS} seeds finds it`);
      } finally {
        writeFileSync(path, original);
      }
    });
  }

  function isFound(): boolean {
    for (let seed = 1; seed <= SEEDS; seed += 1) if (!runSeed(copy, seed, STEPS).passed) return true;
    return false;
  }
});
