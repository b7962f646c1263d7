import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { defaultSettings } from '../../../src/config/settings.ts';
import { ReloadCall } from '../../../src/server/cluster/reload-call.ts';
import { type ReloadSlot, reloadTogether } from '../../../src/server/cluster/reload-together.ts';
import type { Configuration } from '../../../src/site/configuration.ts';

const configuration = {
  settings: { ...defaultSettings(), processes: 3 },
  applications: {},
} as unknown as Configuration;
const OLD = {} as Configuration;

/** Three server processes. `failing` says which one fails at which step. All events are in `happened`. */
function makeSlots(failing: Readonly<Record<string, true>> = {}) {
  const happened: string[] = [];
  const slots = [0, 1, 2].map((index): ReloadSlot => {
    let step = 0;
    const take = async (): Promise<void> => {
      step += 1;
      happened.push(`${index}:${step}`);
      await Promise.resolve();
      if (failing[`${index}:${step}`]) throw new Error('it is broken');
    };
    const serverProcess = {
      started: Promise.resolve(),
      reload: take,
      proceed: take,
      abandonReload: async () => void happened.push(`${index}:back`),
    };
    return { index, serverProcess, configuration: OLD };
  });
  return { slots, happened };
}

describe('the reload of several server processes', () => {
  it('prepares one after the other, then proves all, then lets all serve', async () => {
    const { slots, happened } = makeSlots();
    await reloadTogether(slots, configuration);
    assert.deepEqual(happened, ['0:1', '1:1', '2:1', '0:2', '1:2', '2:2', '0:3', '1:3', '2:3']);
    assert.ok(slots.every((slot) => slot.configuration === configuration));
  });

  it('goes back in all when one cannot prepare', async () => {
    const { slots, happened } = makeSlots({ '1:1': true });
    await assert.rejects(reloadTogether(slots, configuration), { message: 'it is broken (in server process 2)' });
    assert.deepEqual(happened, ['0:1', '1:1', '0:back', '1:back', '2:back']);
    assert.ok(slots.every((slot) => slot.configuration === OLD));
  });

  it('goes back in all when one does not prove itself', async () => {
    const { slots, happened } = makeSlots({ '2:2': true });
    await assert.rejects(reloadTogether(slots, configuration), /in server process 3/);
    assert.deepEqual(happened.slice(-3), ['0:back', '1:back', '2:back']);
    assert.ok(slots.every((slot) => slot.configuration === OLD));
  });

  it('does not go back when one ends after all have proved themselves, because others serve by then', async () => {
    const { slots, happened } = makeSlots({ '1:3': true });
    await reloadTogether(slots, configuration);
    assert.deepEqual(happened.slice(-3), ['0:3', '1:3', '2:3']);
    assert.deepEqual(
      slots.map((slot) => slot.configuration === configuration),
      [true, false, true],
    );
  });

  it('goes back in all when none comes to serve', async () => {
    const { slots, happened } = makeSlots({ '0:3': true, '1:3': true, '2:3': true });
    await assert.rejects(reloadTogether(slots, configuration), { message: 'it is broken' });
    assert.deepEqual(happened.slice(-3), ['0:back', '1:back', '2:back']);
  });

  it('says nothing about processes when the first one fails, because all would', async () => {
    const { slots } = makeSlots({ '0:1': true });
    await assert.rejects(reloadTogether(slots, configuration), { message: 'it is broken' });
  });

  it('leaves out a process that has ended', async () => {
    const { slots, happened } = makeSlots();
    (slots[1] as ReloadSlot).serverProcess = null;
    await reloadTogether(slots, configuration);
    assert.deepEqual(happened, ['0:1', '2:1', '0:2', '2:2', '0:3', '2:3']);
  });
});

describe('the reload of one server process', () => {
  it('goes step by step', async () => {
    const call = new ReloadCall(1);
    const first = call.next();
    call.reached();
    await first;
    const second = call.next();
    call.ended(null);
    await second;
    await call.over;
    await call.next();
  });

  it('fails at the next step if it failed between two', async () => {
    const call = new ReloadCall(1);
    call.ended(new Error('it is broken'));
    call.ended(null);
    await assert.rejects(call.next(), /it is broken/);
    await call.over;
  });
});
