import { deepEqual, equal } from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Credentials } from '../../../src/handlers/auth/credentials.ts';

const REMEMBER_MS = 1000;

/** One user, `anna` with `right`; verifications end when they are let. */
function scene() {
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
  it('are remembered for a while when they were right', async () => {
    const { asked, verify, endAll, wait } = scene();
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

  it('are never remembered when they were wrong', async () => {
    const { asked, verify, endAll } = scene();
    for (let i = 0; i < 2; i += 1) {
      const verdict = verify('anna', 'wrong');
      await endAll();
      equal(await verdict, 'invalid');
    }
    deepEqual(asked, ['wrong', 'wrong']);
  });

  it('of an unknown user are verified too, and wrong even with the password that stands in', async () => {
    const { asked, verify, endAll } = scene();
    const verdict = verify('nobody', 'right');
    await endAll();
    equal(await verdict, 'invalid');
    deepEqual(asked, ['right']);
  });

  it('are not mistaken for others that are put together alike', async () => {
    const { verify, endAll } = scene();
    const right = verify('anna', 'right');
    await endAll();
    await right;
    const verdict = verify('annar', 'ight');
    await endAll();
    equal(await verdict, 'invalid');
  });

  it('that come at once are verified once', async () => {
    const { asked, verify, endAll } = scene();
    const verdicts = [verify('anna', 'right'), verify('anna', 'right'), verify('anna', 'right')];
    await endAll();
    deepEqual(await Promise.all(verdicts), ['valid', 'valid', 'valid']);
    deepEqual(asked, ['right']);
  });

  it('are verified two at a time, and too many are turned away', async () => {
    const { asked, verify, endAll } = scene();
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
