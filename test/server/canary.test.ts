import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Request } from '../../src/http/message.ts';
import { Response } from '../../src/http/response.ts';
import { canary } from '../../src/server/canary.ts';

const [old, fresh] = ['old', 'fresh'].map((name) => () => Response.text(200, name)) as [() => Response, () => Response];

describe('a share of the clients', () => {
  const addresses = Array.from({ length: 5000 }, (_, i) => `10.${i >> 8}.${i & 255}.${(i * 7) & 255}`);
  const choose = (share: number, seed: number): boolean[] => {
    const handle = canary(share, seed, old, fresh);
    return addresses.map((remoteAddress) => {
      const response = handle({ peer: { remoteAddress } } as Request) as Response;
      return Buffer.from(response.body as Uint8Array).toString() === 'fresh';
    });
  };

  it('is as large as it should be, also among neighbours', () => {
    for (const share of [0.01, 0.1, 0.5]) {
      for (const seed of [1, 2, 4_000_000_000]) {
        const chosen = choose(share, seed).filter(Boolean).length / addresses.length;
        const deviation = Math.sqrt((share * (1 - share)) / addresses.length);
        assert.ok(Math.abs(chosen - share) < 5 * deviation, `${share}: ${chosen}`);
      }
    }
  });

  it('has the same clients every time, and others with another seed', () => {
    assert.deepEqual(choose(0.1, 1), choose(0.1, 1));
    assert.notDeepEqual(choose(0.1, 1), choose(0.1, 2));
  });

  it('costs nothing when it is everybody', () => {
    assert.equal(canary(1, 1, old, fresh), fresh);
  });
});
