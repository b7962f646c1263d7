import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isSameAddress } from '../../src/listen/same-address.ts';

describe('the name of an address', () => {
  for (const [name, listen, expected] of [
    ['8000', '127.0.0.1:8000', true],
    ['127.0.0.1:8000', 'http://127.0.0.1:8000', true],
    ['http://127.0.0.1:8000', '127.0.0.1:8000', true],
    ['http://0.0.0.0', '0.0.0.0:80?proxy_protocol=on', true],
    [':8000', '0.0.0.0:8000', true],
    ['LOCALHOST:8000', 'localhost:8000', true],
    ['0.0.0.0:443', 'https://0.0.0.0', true],
    ['https://0.0.0.0:443', 'https://0.0.0.0', true],
    ['http://0.0.0.0:443', 'https://0.0.0.0', false],
    ['https://127.0.0.1:8000', '127.0.0.1:8000', false],
    ['127.0.0.1:3031', 'uwsgi://127.0.0.1:3031', true],
    ['scgi://127.0.0.1:3031', 'uwsgi://127.0.0.1:3031', false],
    ['127.0.0.1:8000', '0.0.0.0:8000', false],
    ['127.0.0.1:8000', '127.0.0.1:8001', false],
    ['127.0.0.1:80', '[::1]:80', false],
    ['unix:/run/a.sock', 'unix:/run/a.sock?mode=660', true],
    ['unix:/run/a.sock', 'fastcgi://unix:/run/a.sock', true],
    ['unix:/run/a.sock', 'unix:/run/b.sock', false],
    ['fd:3', 'https://fd:3', true],
    ['fd:3', 'fd:4', false],
    ['systemd:admin', 'systemd:admin', true],
    ['systemd:admin', 'https://systemd:admin?proxy_protocol=on', true],
    ['systemd:admin', 'systemd:web', false],
  ] as const) {
    it(`${name} ${expected ? 'means' : 'does not mean'} ${listen}`, () =>
      assert.equal(isSameAddress(name, listen), expected));
  }

  it('is refused when it is not an address', () => {
    assert.throws(() => isSameAddress('nowhere', '8000'), /Cannot listen on "nowhere": it is not a valid address/);
  });
});
