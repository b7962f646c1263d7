import { equal } from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseHttpDate } from '../../../src/http/semantics/http-date.ts';

const SECONDS = 784_111_777; // the example of RFC 9110 section 5.6.7

describe('an HTTP date', () => {
  it('is read in all three formats, always as UTC', () => {
    equal(parseHttpDate('Sun, 06 Nov 1994 08:49:37 GMT'), SECONDS);
    equal(parseHttpDate('Sunday, 06-Nov-94 08:49:37 GMT'), SECONDS);
    equal(parseHttpDate('Sun Nov  6 08:49:37 1994'), SECONDS);
  });

  it('is of the century before when its year of two digits would be more than 50 years ahead', () => {
    const now = new Date().getUTCFullYear();
    const read = (year: number) => {
      const seconds = parseHttpDate(`Sunday, 06-Nov-${String(year % 100).padStart(2, '0')} 08:49:37 GMT`);
      return new Date((seconds ?? Number.NaN) * 1000).getUTCFullYear();
    };
    equal(read(now + 1), now + 1);
    equal(read(now + 51), now - 49);
  });

  for (const text of [
    '',
    '0',
    '784111777',
    'yesterday',
    '1994-11-06T08:49:37Z',
    'Sun, 06 Nov 1994 08:49:37',
    'Sun, 06 Nov 1994 08:49:37 +0100',
    'Sun, 06 Nov 1994 08:49:37 UTC',
    'Sun, 6 Nov 1994 08:49:37 GMT',
    'Sun, 31 Apr 1994 08:49:37 GMT',
    'Sun, 00 Nov 1994 08:49:37 GMT',
    'Sun, 06 Nov 1994 24:49:37 GMT',
    'Sun, 06 Nov 1994 08:60:37 GMT',
    'sun, 06 nov 1994 08:49:37 gmt',
    'Sun, 06 Nov 1994 08:49:37 GMT, Sun, 06 Nov 1994 08:49:37 GMT',
  ]) {
    it(`is not ${JSON.stringify(text)}`, () => equal(parseHttpDate(text), null));
  }
});
