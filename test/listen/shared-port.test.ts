import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseAddress } from '../../src/listen/address.ts';
import { sharedWith } from '../../src/listen/shared-port.ts';

const CASES: readonly (readonly [string, readonly string[], string | null])[] = [
  ['127.0.0.1:80', ['0.0.0.0:80'], '0.0.0.0:80'],
  ['https://127.0.0.1:80', ['http://:80'], 'http://:80'],
  ['127.0.0.1:80', ['0.0.0.0:81', '127.0.0.2:80', '[::]:443', 'unix:/run/80'], null],
  ['[::1]:80', ['0.0.0.0:80', '[::]:80'], '[::]:80'],
  ['[0:0:0:0:0:0:0:1]:80', ['[0::0]:80'], '[0::0]:80'],
  ['[::1]:80', ['0.0.0.0:80'], null],
  ['127.0.0.1:80', ['[::]:80'], '[::]:80'],
  ['127.0.0.1:80', ['[::]:80', '0.0.0.0:80'], '0.0.0.0:80'],
  ['[::ffff:127.0.0.1]:80', ['0.0.0.0:80'], '0.0.0.0:80'],
  ['0.0.0.0:80', ['[::]:80'], null],
  ['[::]:80', ['0.0.0.0:80'], null],
  ['localhost:80', ['0.0.0.0:80'], null],
  ['127.0.0.1:0', ['0.0.0.0:0'], null],
  ['unix:/run/a.sock', ['0.0.0.0:80'], null],
];

describe('an address', () => {
  for (const [address, others, expected] of CASES) {
    it(`${address} beside ${others.join(' and ')} is ${expected === null ? 'bound itself' : `part of ${expected}`}`, () => {
      const all = [address, ...others].map(parseAddress);
      const found = sharedWith(all[0] as (typeof all)[number], all);
      assert.deepEqual(found, expected === null ? null : parseAddress(expected));
    });
  }
});
