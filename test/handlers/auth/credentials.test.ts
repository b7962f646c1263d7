import { deepEqual, equal } from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Credentials } from '../../../src/handlers/auth/credentials.ts';

const REMEMBER_MS = 1000;

/** One user, `anna`, with the password `right`. Verifications finish when the test calls `endAll`. */
function setUp() {
  const asked: string[] = [];
  const ends: (() => void)[] = [];
  let now = 0;
  const hash = {
    verify: (password: Buffer) => {
      asked.push(`${password}`);
      return new Promise<boolean>((resolve) => ends.push(() => resolve(`${password}` === 'right')));
    },
  };
  const credentials = new Credentials(new Map([['anna', hash]]), REMEMBER_MS, () => now);
  const verify = (user: string, password: string) => credentials.verify({ user, password: Buffer.from(password) });
  const endAll = async () => {
    for (let round = 0; round < 200; round += 1) {
      for (const end of ends.splice(0)) end();
      await Promise.resolve();
    }
  };
  return {
    asked,
    verify,
    endAll,
    wait: (ms: number) => {
      now += ms;
    },
  };
}

describe('credentials', () => {
  it('are remembered for some time when they were valid', async () => {
    const { asked, verify, endAll, wait } = setUp();
    const first = verify('anna', 'right');
    await endAll();
    equal(await first, 'valid');
    wait(REMEMBER_MS - 1);
    equal(verify('anna', 'right'), 'valid');
    equal(typeof verify('anna', 'rightx'), 'object');
    wait(1);
    const again = verify('anna', 'right');
    equal(typeof again, 'object');
    await endAll();
    equal(await again, 'valid');
    deepEqual(asked, ['right', 'rightx', 'right']);
  });

  it('are never remembered when they were invalid', async () => {
    const { asked, verify, endAll } = setUp();
    for (let i = 0; i < 2; i += 1) {
      const verdict = verify('anna', 'wrong');
      await endAll();
      equal(await verdict, 'invalid');
    }
    deepEqual(asked, ['wrong', 'wrong']);
  });

  it('of an unknown user are verified too, and are invalid even with the password of the decoy', async () => {
    const { asked, verify, endAll } = setUp();
    const verdict = verify('nobody', 'right');
    await endAll();
    equal(await verdict, 'invalid');
    deepEqual(asked, ['right']);
  });

  it('are not confused with others whose user and password join to the same text', async () => {
    const { verify, endAll } = setUp();
    const right = verify('anna', 'right');
    await endAll();
    await right;
    const verdict = verify('annar', 'ight');
    await endAll();
    equal(await verdict, 'invalid');
  });

  it('that arrive at the same time are verified once', async () => {
    const { asked, verify, endAll } = setUp();
    const verdicts = [verify('anna', 'right'), verify('anna', 'right'), verify('anna', 'right')];
    await endAll();
    deepEqual(await Promise.all(verdicts), ['valid', 'valid', 'valid']);
    deepEqual(asked, ['right']);
  });

  it('are verified two at a time, and refused when too many wait', async () => {
    const { asked, verify, endAll } = setUp();
    const verdicts = Array.from({ length: 67 }, (_, i) => verify('anna', `wrong ${i}`));
    equal(asked.length, 2);
    equal(verdicts[65] instanceof Promise, true);
    equal(verdicts[66], 'busy');
    await endAll();
    deepEqual(new Set(await Promise.all(verdicts.slice(0, 66))), new Set(['invalid']));
    equal(asked.length, 66);
    const later = verify('anna', 'right');
    await endAll();
    equal(await later, 'valid');
  });
});
