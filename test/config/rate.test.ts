import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readRate } from '../../src/config/units.ts';

describe('readRate', () => {
  const rates: [string, number][] = [
    ['10/s', 10],
    ['0.5/s', 0.5],
    ['30/min', 0.5],
    ['30/m', 0.5],
    ['1 / second', 1],
    ['7200/h', 2],
    ['86400/day', 1],
  ];
  for (const [text, perSecond] of rates) {
    it(`reads ${text}`, () => assert.equal(readRate(text), perSecond));
  }

  for (const text of [
    '',
    '10',
    '10/',
    '/s',
    '0/s',
    '0.0/min',
    '-1/s',
    '10/fortnight',
    '10/constructor',
    '10/s/s',
    '1e3/s',
    '10 per s',
  ]) {
    it(`refuses "${text}"`, () => assert.equal(readRate(text), null));
  }
});
