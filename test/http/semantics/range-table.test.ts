import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ViaductError } from '../../../src/errors.ts';
import { CidrList } from '../../../src/http/semantics/cidr.ts';
import { RangeTable } from '../../../src/http/semantics/range-table.ts';
import { createRandom } from '../../support/random.ts';

describe('a table of ranges', () => {
  const table = new RangeTable([
    ['all', 'everybody'],
    ['10.0.0.0/8', 'office'],
    ['10.1.0.0/16', 'lab'],
    ['10.1.2.3', 'robot'],
    ['2001:db8::/32', 'six'],
    ['2001:db8:1::/48', 'deeper'],
    ['unix', 'proxy'],
  ]);

  for (const [address, value] of [
    ['10.1.2.3', 'robot'],
    ['::ffff:10.1.2.3', 'robot'],
    ['10.1.2.4', 'lab'],
    ['10.2.0.1', 'office'],
    ['11.0.0.1', 'everybody'],
    ['2001:db8:1::5', 'deeper'],
    ['2001:db8:2::5%eth0', 'six'],
    ['::1', 'everybody'],
    ['', 'proxy'],
    ['example.org', undefined],
  ] as const)
    it(`finds the longest prefix for "${address}"`, () => assert.equal(table.get(address), value));

  it('knows the words of CidrList', () => {
    const words = new RangeTable([
      ['private', 'in'],
      ['loopback', 'here'],
    ]);
    assert.deepEqual(
      ['172.16.9.9', 'fd00::1', '127.9.9.9', '::1', '8.8.8.8', ''].map((address) => words.get(address)),
      ['in', 'in', 'here', 'here', undefined, undefined],
    );
  });

  it('agrees with lists of the same ranges', () => {
    const random = createRandom(7);
    const octet = () => Math.floor(random() * 4);
    const address = () => `${octet()}.${octet()}.${octet()}.${octet()}`;
    const ranges = Array.from({ length: 300 }, () => `${address()}/${Math.floor(random() * 33)}`);
    const many = new RangeTable(ranges.map((range) => [range, Number(range.slice(range.indexOf('/') + 1))] as const));
    for (let count = 0; count < 500; count += 1) {
      const one = address();
      const bits = ranges
        .filter((range) => CidrList.parse([range]).matches(one))
        .map((range) => Number(range.split('/')[1]));
      assert.equal(many.get(one), bits.length === 0 ? undefined : Math.max(...bits), one);
    }
  });

  it('refuses other texts', () => {
    assert.throws(() => new RangeTable([['10.0.0.0/33', 'x']]), ViaductError);
  });
});
