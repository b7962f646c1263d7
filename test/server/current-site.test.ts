import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { defaultSettings } from '../../src/config/settings.ts';
import { ViaductError } from '../../src/errors.ts';
import type { ReloadStep } from '../../src/server/agreement.ts';
import { type Configuration, MAIN } from '../../src/site/configuration.ts';
import { configurationOf, GRACE_MS, openSite, serveSite } from '../support/current-site.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { createSignal } from '../support/wait.ts';

const CANCELLED = new ViaductError('WORKER', 'another reload');
const NOTHING = new Promise<never>(() => {});

describe('the site before the first switch', () => {
  it('answers 500', async () => assert.match(await openSite().ask(), /^500 /));

  it('lets requests wait while it is held, for the one that is current then', async () => {
    const { site, switchTo, ask } = openSite();
    const end = site.hold();
    const answers = [ask(), ask()];
    await switchTo();
    assert.equal(await ask(), '200 version 1', 'the switch does not wait for the end');
    end();
    assert.deepEqual(await Promise.all(answers), ['200 version 1', '200 version 1']);
  });

  it('answers as before when a hold ends without a switch', async () => {
    const { site, ask, state, switchTo } = openSite();
    const end = site.hold();
    const answer = ask();
    state.imported = Promise.reject(CANCELLED);
    await assert.rejects(switchTo(), CANCELLED);
    end();
    assert.match(await answer, /^500 /);
    assert.match(await ask(), /^500 /);
  });
});

describe('a switch of the site', () => {
  it('starts everything beside the current site, and then all requests go to the new one', async () => {
    const { switchTo, state, ask, reached } = await serveSite();
    const imported = createSignal();
    state.imported = imported.happened;
    const switching = switchTo();
    assert.equal(await ask(), '200 version 1');
    imported.happen();
    await switching;
    assert.equal(await ask(), '200 version 2');
    const names = `${MAIN}`;
    assert.deepEqual(state.calls, [
      ...[`prepare ${names}`, 'started', `commit ${names}`, 'serving', `retire all but ${names} ${GRACE_MS}`],
    ]);
    assert.deepEqual(reached, ['prepared', 'proved']);
  });

  it('closes the applications of the old site after the grace period, and those of the caller at the stop', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const closed: string[] = [];
    Object.assign(globalThis, { onModuleClosed: () => closed.push('module') });
    t.after(() => Reflect.deleteProperty(globalThis, 'onModuleClosed'));
    const module = join(temporaryDirectory(t), 'other.mjs');
    writeFileSync(
      module,
      'export default Object.assign(() => [], { close: async () => globalThis.onModuleClosed() });',
    );
    const close = async (): Promise<void> => void closed.push('caller');
    const { site, switchTo } = await serveSite({ caller: Object.assign(() => [], { close }) });
    const other = { module, export: '', middleware: [] };
    await switchTo(configurationOf({}, { modules: { other } }));
    await switchTo();
    assert.deepEqual(closed, []);
    t.mock.timers.tick(GRACE_MS);
    assert.deepEqual(closed, ['module']);
    await site.stop();
    assert.deepEqual(closed, ['module', 'caller']);
  });

  it('warns of what clients will notice', async () => {
    const { switchTo, lines } = await serveSite();
    await switchTo(configurationOf({ route: [{ path: '/files/*', static: '/nowhere/at/all' }] }));
    assert.match(lines.join(), /\/nowhere\/at\/all/);
  });

  it('leaves the current site as it is when an import fails', async () => {
    const { switchTo, state, ask } = await serveSite();
    state.imported = Promise.reject(new ViaductError('APPLICATION_BROKEN', 'no module'));
    await assert.rejects(switchTo(), { message: 'no module' });
    assert.equal(await ask(), '200 version 1');
  });

  it('leaves the current site as it is when an application of the program does not start', async () => {
    let isBroken = false;
    const start = async (): Promise<void> => {
      if (isBroken) throw new Error('no database');
    };
    const { switchTo, state, ask } = await serveSite({ other: Object.assign(() => [], { start }) });
    isBroken = true;
    await assert.rejects(switchTo(), { message: 'no database' });
    assert.equal(await ask(), '200 version 1');
    assert.deepEqual(state.calls.at(-1), 'abandon: Cannot start the application: a later reload replaces this one');
  });

  it('leaves the current site as it is when a release was lost just before the end', async () => {
    const { switchTo, state, ask } = await serveSite();
    state.isLost = true;
    await assert.rejects(switchTo(), { message: 'it ended while others started' });
    assert.equal(await ask(), '200 version 1');
    assert.equal(state.calls.includes('serving'), false);
  });

  it('rejects at once when it is cancelled, although an import never ends', async () => {
    const { switchTo, state, ask, alone } = await serveSite();
    state.imported = NOTHING;
    const cancel = new AbortController();
    const switching = switchTo(configurationOf(), alone, cancel.signal);
    cancel.abort(CANCELLED);
    await assert.rejects(switching, CANCELLED);
    assert.equal(await ask(), '200 version 1');
  });

  it('rejects at once when it is cancelled, although other server processes never get as far', async () => {
    for (const waits of ['prepared', 'proved'] as const) {
      const { switchTo, ask } = await serveSite();
      const cancel = new AbortController();
      const isThere = createSignal();
      const reached = (step: ReloadStep): Promise<void> => {
        if (step !== waits) return Promise.resolve();
        isThere.happen();
        return NOTHING;
      };
      const switching = switchTo(configurationOf(), { seed: 1, reached }, cancel.signal);
      await isThere.happened;
      cancel.abort(CANCELLED);
      await assert.rejects(switching, CANCELLED);
      assert.equal(await ask(), '200 version 1');
    }
  });

  it('goes back when another server process does', async () => {
    const { switchTo, state, ask } = await serveSite();
    const reached = (step: ReloadStep): Promise<void> =>
      step === 'proved' ? Promise.reject(new Error('process 2 failed')) : Promise.resolve();
    await assert.rejects(switchTo(configurationOf(), { seed: 1, reached }), { message: 'process 2 failed' });
    assert.equal(await ask(), '200 version 1');
    assert.match(state.calls.at(-1) ?? '', /^abandon/);
  });

  it('keeps what an operator changed about a backend', async () => {
    const parts = openSite();
    const routed = configurationOf({ route: [{ name: 'api', path: '/api/*', proxy: 'http://127.0.0.1:1' }] });
    assert.deepEqual([parts.site.proxies.size, parts.site.changeBackend('http://127.0.0.1:1', {})], [0, false]);
    await parts.switchTo(routed);
    assert.equal(parts.site.changeBackend('http://127.0.0.1:1', { draining: true }), true);
    await parts.switchTo(routed);
    const states = [...parts.site.proxies.values()].flatMap((proxy) => proxy.status().map(({ state }) => state));
    assert.deepEqual(states, ['draining']);
    parts.site.destroy();
  });
});

describe('a broken site in development', () => {
  const DEV: Configuration = { ...configurationOf(), settings: { ...defaultSettings(), dev: true } };

  it('shows the traceback for every request until the next switch', async () => {
    const { site, ask, switchTo } = openSite();
    site.showBroken(DEV, new ViaductError('APPLICATION_BROKEN', 'Cannot import', { cause: 'Traceback …' }));
    assert.match(await ask('192.0.2.1', '/any'), /^500 .*Traceback …/s);
    await switchTo(DEV);
    assert.equal(await ask(), '200 version 1');
  });
});
