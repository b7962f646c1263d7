import { deepEqual, equal, throws } from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ViaductError } from '../../../src/errors.ts';
import { CidrList } from '../../../src/http/semantics/cidr.ts';

const CASES: readonly (readonly [range: string, inside: readonly string[], outside: readonly string[]])[] = [
  [
    '10.0.0.0/8',
    ['10.0.0.0', '10.255.255.255', '::ffff:10.1.2.3', '::FFFF:a01:203'],
    ['9.255.255.255', '11.0.0.0', '::a01:203'],
  ],
  ['10.9.9.9/8', ['10.0.0.1'], ['11.0.0.1']],
  ['192.0.2.7', ['192.0.2.7'], ['192.0.2.6', '192.0.2.8', '192.0.2.70']],
  ['192.0.2.128/25', ['192.0.2.128', '192.0.2.255'], ['192.0.2.127']],
  ['128.0.0.0/1', ['128.0.0.0', '255.255.255.255'], ['127.255.255.255']],
  ['192.0.2.6/31', ['192.0.2.6', '192.0.2.7'], ['192.0.2.5', '192.0.2.8']],
  ['0.0.0.0/0', ['0.0.0.0', '255.255.255.255', '::ffff:1.2.3.4'], ['::1', '']],
  ['::ffff:10.0.0.0/104', ['10.1.2.3', '::ffff:10.1.2.3'], ['11.0.0.0', '::10.1.2.3']],
  ['::ffff:10.0.0.1', ['10.0.0.1'], ['10.0.0.2']],
  [
    '2001:db8::/32',
    ['2001:db8::1', '2001:0DB8:ffff:ffff:ffff:ffff:ffff:ffff'],
    ['2001:db9::', '2001:db7:ffff::', '32.1.13.184'],
  ],
  ['2001:db8:0:1::/64', ['2001:db8:0:1::', '2001:db8::1:1:2:3:4'], ['2001:db8:0:2::', '2001:db8::']],
  ['2001:db8::/33', ['2001:db8:7fff::'], ['2001:db8:8000::']],
  ['2001:db8::1', ['2001:db8::1', '2001:db8:0:0:0:0:0:1'], ['2001:db8::2', '2001:db8::']],
  ['64:ff9b::/96', ['64:ff9b::192.0.2.1', '64:ff9b::c000:201'], ['64:ff9b:1::', '192.0.2.1']],
  ['fe80::/10', ['fe80::1%eth0', 'febf::1'], ['fec0::1']],
  ['::/0', ['::', '2001:db8::1'], ['10.0.0.1', '::ffff:10.0.0.1', '']],
  ['::1', ['::1'], ['::', '::2', '127.0.0.1']],
  ['loopback', ['127.0.0.1', '127.9.9.9', '::1', '::ffff:127.0.0.1'], ['128.0.0.1', '10.0.0.1', '']],
  [
    'private',
    ['10.0.0.1', '172.16.0.1', '172.31.255.255', '192.168.1.1', 'fd00::1', 'fc00::1'],
    ['172.32.0.0', '172.15.0.1', '127.0.0.1', 'fe80::1', '8.8.8.8'],
  ],
  ['unix', [''], ['127.0.0.1', 'unix']],
  ['all', ['', '8.8.8.8', '2001:db8::1'], ['nonsense']],
];

const INVALID = [
  '',
  'nonsense',
  '10.0.0.0/33',
  '10.0.0.0/-1',
  '10.0.0.0/',
  '10.0.0.0/8/8',
  '10.0.0/8',
  '10.0.0.0/08',
  '10.0.0.0/255.0.0.0',
  '010.0.0.1',
  '1.2.3.4.5',
  '2001:db8::/129',
  '2001:db8',
  '::1::',
  'fe80::1%eth0',
  '::ffff:10.0.0.0/95',
  ' 10.0.0.1',
  '10.0.0.1 ',
  'PRIVATE',
  '[::1]',
  'example.com',
  'toString',
  '0x7f.1',
  '127.1',
];

describe('an address list', () => {
  for (const [range, inside, outside] of CASES) {
    it(`of ${range} matches the addresses inside and no others`, () => {
      const list = CidrList.parse([range]);
      for (let round = 0; round < 2; round += 1) {
        for (const address of inside) equal(list.matches(address), true, address);
        for (const address of outside) equal(list.matches(address), false, address);
      }
    });
  }

  it('names the invalid range when it cannot parse it', () => {
    for (const text of INVALID) {
      throws(
        () => CidrList.parse(['10.0.0.0/8', text]),
        (error) =>
          error instanceof ViaductError && error.code === 'SETTINGS' && error.message.includes(JSON.stringify(text)),
        text,
      );
    }
  });

  it('matches nothing when it is empty, and never matches an invalid address', () => {
    equal(CidrList.parse([]).matches('127.0.0.1'), false);
    for (const text of ['', 'x', '1.2.3', '1.2.3.4.5', '::g', '10.0.0.1:80']) {
      equal(CidrList.parse(['0.0.0.0/0', '::/0']).matches(text), false, text);
    }
  });

  it('gives correct results after more addresses than the cache holds', () => {
    const list = CidrList.parse(['10.0.0.0/16', '2001:db8::/32']);
    const wrong: string[] = [];
    for (let i = 0; i < 5000; i += 1) {
      const address = `10.${i % 3}.${i >> 8}.${i & 255}`;
      if (list.matches(address) !== (i % 3 === 0)) wrong.push(address);
    }
    deepEqual(wrong, []);
  });
});
