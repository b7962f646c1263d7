import { deepEqual, equal } from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readRanges } from '../../../src/http/semantics/range.ts';

/** The ranges as `first-last`, with the last position included as in the field. */
function ranges(value: string, size = 10_000): unknown {
  const read = readRanges(value, size);
  return typeof read === 'string' ? read : read.map(({ start, end }) => `${start}-${end - 1}`);
}

describe('RFC 9110 section 14.1.2: byte ranges', () => {
  for (const [value, expected] of [
    ['bytes=0-499', ['0-499']],
    ['bytes=500-999', ['500-999']],
    ['bytes=-500', ['9500-9999']],
    ['bytes=9500-', ['9500-9999']],
    ['bytes=0-0', ['0-0']],
    ['bytes=-1', ['9999-9999']],
    ['bytes=0-0,-1', ['0-0', '9999-9999']],
    ['bytes= 0-999, 4500-5499, -1000', ['0-999', '4500-5499', '9000-9999']],
    ['bytes=0-', ['0-9999']],
    ['bytes=0-99999', ['0-9999']],
    ['bytes=-99999', ['0-9999']],
    ['bytes=5-99999999999999999999999999', ['5-9999']],
    ['bytes=-99999999999999999999999999', ['0-9999']],
    ['BYTES=1-2', ['1-2']],
    ['bytes=,1-2,,\t3-4 ,', ['1-4']],
    ['bytes=20000-,1-2', ['1-2']],
  ] as const) {
    it(`reads ${value}`, () => deepEqual(ranges(value), expected));
  }

  it('keeps the order of the request when nothing overlaps', () => {
    deepEqual(ranges('bytes=-10,0-9,500-600'), ['9990-9999', '0-9', '500-600']);
  });

  it('merges ranges that overlap or touch', () => {
    deepEqual(ranges('bytes=100-200,150-300,0-50'), ['0-50', '100-300']);
    deepEqual(ranges('bytes=0-4,5-9'), ['0-9']);
  });

  for (const value of [
    'bytes=10000-',
    'bytes=10000-10001',
    'bytes=-0',
    'bytes=99999999999999999999-',
    'bytes=-0,10000-',
  ]) {
    it(`finds nothing to send for ${value}`, () => equal(ranges(value), 'none'));
  }

  for (const value of [
    '',
    'bytes',
    'bytes=',
    'bytes=,',
    'bytes=-',
    'bytes=a-b',
    'bytes=1',
    'bytes=2-1',
    'bytes=1-2-3',
    'bytes=1 -2',
    'bytes=+1-2',
    'bytes=0x1-2',
    'bytes=1-2;3-4',
    'bytes=1-2,x',
    'bytes:1-2',
    'items=1-2',
    ' bytes=1-2',
  ]) {
    it(`ignores ${JSON.stringify(value)}`, () => equal(ranges(value), 'all'));
  }
});

describe('RFC 9110 section 17.15: attacks with ranges', () => {
  it('ignores the field when it has too many ranges', () => {
    const many = Array.from({ length: 200 }, (_, i) => `${i * 10}-${i * 10 + 1}`);
    equal(ranges(`bytes=${many.join(',')}`), 'all');
    equal(ranges(`bytes=0-1${','.repeat(5000)}`), 'all');
  });

  it('never sends a byte twice', () => {
    deepEqual(ranges('bytes=0-,0-,0-,0-'), ['0-9999']);
    deepEqual(ranges('bytes=5000-,0-4998,4999-4999,20-30'), ['0-9999']);
  });
});

describe('a byte range of an empty file', () => {
  it('cannot be satisfied when it has a start', () => equal(ranges('bytes=0-', 0), 'none'));
  it('is the whole file when it counts from the end', () => equal(ranges('bytes=-5', 0), 'all'));
});
