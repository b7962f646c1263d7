import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { STANDARD_PLACEHOLDERS } from '../../src/placeholders/placeholders.ts';
import { textKey } from '../../src/placeholders/text-key.ts';
import { requestOf } from '../support/handler.ts';

describe('a hash key of a text', () => {
  it('is its value, or the address of the client', () => {
    const key = textKey('{cookie.id}{query.id}', STANDARD_PLACEHOLDERS);
    assert.equal(key(requestOf({ headers: ['Cookie', 'id=7'], query: 'id=8' })), '78');
    assert.equal(key(requestOf()), '192.0.2.1');
  });

  it('is refused with a placeholder that does not exist', () => {
    assert.throws(() => textKey('{cookie}', STANDARD_PLACEHOLDERS), /\{cookie\} in hash_by/);
  });
});
