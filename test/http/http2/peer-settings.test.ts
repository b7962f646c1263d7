import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { PeerSettings } from '../../../src/http/http2/peer-settings.ts';
import { FLOW_CONTROL_ERROR, PROTOCOL_ERROR, settings } from '../../support/http2-frames.ts';

const MAX = 0xffffffff;

/** Settings (RFC 9113 section 6.5.2), and the code of the error, or null. */
const CASES: readonly (readonly [number, number, number | null])[] = [
  [1, 0, null],
  [1, MAX, null],
  [2, 0, null],
  [2, 1, null],
  [2, 2, PROTOCOL_ERROR],
  [3, 0, null],
  [3, MAX, null],
  [4, 0, null],
  [4, 0x7fffffff, null],
  [4, 0x80000000, FLOW_CONTROL_ERROR],
  [4, MAX, FLOW_CONTROL_ERROR],
  [5, 16_383, PROTOCOL_ERROR],
  [5, 16_384, null],
  [5, 16_777_215, null],
  [5, 16_777_216, PROTOCOL_ERROR],
  [6, 0, null],
  [6, MAX, null],
  [8, 0, null],
  [8, 1, null],
  [8, 2, PROTOCOL_ERROR],
  [9, 1, null],
  [0, MAX, null],
  [0xffff, MAX, null],
];

describe('the settings of a client', () => {
  function read(own: PeerSettings, ...list: readonly (readonly [number, number])[]): number | null {
    const bytes = Buffer.concat([Buffer.from('before'), settings(...list).subarray(9), Buffer.from('behind')]);
    return own.read(bytes, 6, bytes.length - 6)?.code ?? null;
  }

  for (const [key, value, code] of CASES) {
    it(`may ${code === null ? '' : 'not '}have ${value} for ${key}`, () => {
      assert.equal(read(new PeerSettings(), [key, value]), code);
      assert.equal(read(new PeerSettings(), [1, 100], [key, value], [3, 100]), code);
    });
  }

  it('keep their values until they change, and the last of a frame counts', () => {
    const own = new PeerSettings();
    assert.equal(own.windowBytes, 65_535);
    read(own, [4, 10], [1, 20], [4, 30]);
    assert.equal(own.windowBytes, 30);
    read(own);
    read(own, [3, 5]);
    assert.equal(own.windowBytes, 30);
  });

  it('have the smallest and the final size of the table in the last frame', () => {
    const own = new PeerSettings();
    for (const [sizes, expected] of [
      [[], []],
      [[20], [20, 20]],
      [
        [100, 0, 50],
        [0, 50],
      ],
      [
        [10, 40, 30],
        [10, 30],
      ],
      [[], []],
    ]) {
      read(own, ...(sizes ?? []).map((size): [number, number] => [1, size]));
      assert.deepEqual(own.tableSizes, expected);
    }
  });
});
