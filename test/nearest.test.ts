import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { nearest } from '../src/nearest.ts';

const NAMES = ['workers', 'threads', 'listen', 'access_log', 'dev', 'header_timeout_ms', 'body_timeout_ms'];

describe('the nearest name', () => {
  const cases: readonly (readonly [word: string, name: string | null, why: string])[] = [
    ['wrokers', 'workers', 'two letters are swapped'],
    ['worker', 'workers', 'a letter is missing'],
    ['workerss', 'workers', 'there is one letter too many'],
    ['workors', 'workers', 'a letter is wrong'],
    ['Workers', 'workers', 'the case differs'],
    ['accesslog', 'access_log', 'the underscore is missing'],
    ['access-log', 'access_log', 'there is a hyphen instead of the underscore'],
    ['header_timeout', 'header_timeout_ms', 'the unit is missing'],
    ['bdy_timeout_ms', 'body_timeout_ms', 'a letter is missing, although two names are similar'],
    ['dve', 'dev', 'a short name has its letters swapped'],
    ['d', null, 'one letter is not enough'],
    ['foo', null, 'no name is similar'],
    ['colour', null, 'no name is similar'],
    ['', null, 'the word is empty'],
    ['x'.repeat(100_000), null, 'it is far too long'],
  ];
  for (const [word, name, why] of cases) {
    it(`is ${name} for "${word.slice(0, 20)}", because ${why}`, () => {
      assert.equal(nearest(word, NAMES), name);
    });
  }
});
