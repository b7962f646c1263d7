import { equal, throws } from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type AddressListOptions, addressList } from '../../../src/handlers/auth/address-list.ts';
import { pass, requestOf } from '../../support/handler.ts';

const CASES: readonly (readonly [
  options: AddressListOptions,
  allowed: readonly string[],
  denied: readonly string[],
])[] = [
  [{}, ['192.0.2.1', '::1', ''], []],
  [{ allow: ['10.0.0.0/8', '::1'] }, ['10.1.2.3', '::1', '::ffff:10.1.2.3'], ['11.0.0.1', '::2', '']],
  [{ allow: [] }, [], ['127.0.0.1']],
  [{ deny: ['10.0.0.0/8'] }, ['11.0.0.1', '::1', ''], ['10.0.0.1']],
  [{ allow: ['private'], deny: ['10.6.0.0/16'] }, ['10.5.0.1', '192.168.0.1'], ['10.6.0.1', '8.8.8.8']],
  [{ deny: ['all'] }, [], ['127.0.0.1', '::1', '']],
  [{ allow: ['unix', 'loopback'] }, ['', '127.0.0.1'], ['10.0.0.1']],
];

describe('an address list', () => {
  for (const [options, allowed, denied] of CASES) {
    it(`${JSON.stringify(options)} allows ${JSON.stringify(allowed)} and denies ${JSON.stringify(denied)}`, async () => {
      for (const remoteAddress of [...allowed, ...denied]) {
        const { response, passed } = await pass(addressList(options), requestOf({ peer: { remoteAddress } }));
        const isIn = allowed.includes(remoteAddress);
        equal(response.status, isIn ? 200 : 403, remoteAddress);
        equal(passed !== null, isIn);
      }
    });
  }

  it('is refused at start when a range is invalid or nobody could come in', () => {
    throws(() => addressList({ allow: ['10.0.0.0/99'] }), /10\.0\.0\.0\/99/);
    throws(() => addressList({ deny: ['nonsense'] }), /nonsense/);
    throws(() => addressList({ allow: ['10.0.0.1'], deny: ['all'] }), /nobody/);
  });
});
