import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { ViaductError } from '../../src/errors.ts';
import { Response } from '../../src/http/response.ts';
import { configurationOf, openSite, serveSite } from '../support/current-site.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { createSignal, eventually } from '../support/wait.ts';

const CANCELLED = new ViaductError('WORKER', 'another reload');
const NOTHING = new Promise<never>(() => {});

/** A new release that is watched for so long that only its figures end the watch. */
const WATCHED = configurationOf({ reload: { watch_ms: 3_000_000, requests_min: 1 } });
const PROBED = configurationOf({ reload: { probe: ['/healthz'] } });

/** Waits until a watch has begun. */
async function tried({ state }: ReturnType<typeof openSite>): Promise<void> {
  await eventually('the watch begins', () => state.calls.includes('try out'));
}

describe('the probes of a switch', () => {
  it('are answered by the new site before clients get there', async () => {
    const { switchTo, state, ask, reached } = await serveSite();
    const seen: string[] = [];
    state.probe = (request) => {
      seen.push(`${request.path} ${request.headers.includes('viaduct-probe')} ${reached}`);
      return Response.text(200, '');
    };
    await switchTo(PROBED);
    assert.deepEqual(seen, ['/healthz true ']);
    assert.equal(await ask(), '200 version 2');
  });

  it('end it with the traceback when they fail', async () => {
    const { switchTo, state, ask, reached } = await serveSite();
    state.probe = () => Response.text(500, '');
    state.trial = { ...state.trial, traceback: 'Traceback …\nKeyError: 1\n' };
    await assert.rejects(switchTo(PROBED), { code: 'APPLICATION_BROKEN', cause: 'Traceback …\nKeyError: 1' });
    assert.equal(await ask(), '200 version 1');
    assert.match(state.calls.at(-1) ?? '', /^abandon/);
    assert.deepEqual(reached, []);
  });

  it('end at once when it is cancelled, and who cancels ends the releases', async () => {
    const { switchTo, state, ask, alone } = await serveSite();
    const asked = createSignal();
    state.probe = () => {
      asked.happen();
      return NOTHING;
    };
    const cancel = new AbortController();
    const switching = switchTo(PROBED, alone, cancel.signal);
    await asked.happened;
    assert.equal(await ask(), '200 version 1');
    cancel.abort(CANCELLED);
    await assert.rejects(switching, CANCELLED);
    assert.equal(await ask(), '200 version 1');
    assert.equal(
      state.calls.some((call) => call.startsWith('abandon')),
      false,
    );
  });

  it('are sent at the start, unless dead processes are replaced', async () => {
    const started = openSite();
    started.state.probe = () => Response.text(503, '');
    await assert.rejects(started.switchTo(PROBED), { code: 'APPLICATION_BROKEN' });
    const replaced = openSite({}, false);
    replaced.state.probe = () => Response.text(503, '');
    await replaced.switchTo(PROBED);
    await assert.rejects(replaced.switchTo(PROBED), { code: 'APPLICATION_BROKEN' }, 'a reload is one all the same');
  });
});

describe('the watch of a switch', () => {
  it('sends clients to the new site, and ends without a loss when the old release is gone', async () => {
    const parts = await serveSite();
    const switching = parts.switchTo(WATCHED);
    await tried(parts);
    assert.equal(await parts.ask(), '200 version 2');
    assert.deepEqual(parts.reached, ['prepared']);
    parts.state.trial = { ...parts.state.trial, isAlone: true };
    await switching;
    assert.equal(await parts.ask(), '200 version 2');
    assert.deepEqual(parts.reached, ['prepared', 'proved']);
    assert.match(parts.lines.join('\n'), /of all clients, and is watched for 3000 s\n.*stays: 0 requests/);
  });

  it('sends a share of the clients there', async () => {
    const parts = await serveSite();
    const switching = parts.switchTo(configurationOf({ reload: { watch_ms: 3_000_000, share: 0.5 } }));
    await tried(parts);
    const answers = await Promise.all(Array.from({ length: 100 }, (_, i) => parts.ask(`192.0.2.${i}`)));
    assert.deepEqual(new Set(answers), new Set(['200 version 1', '200 version 2']));
    assert.match(parts.lines[0] ?? '', /requests of 50 % of the clients/);
    parts.state.trial = { ...parts.state.trial, isAlone: true };
    await switching;
    assert.equal(await parts.ask('192.0.2.1'), await parts.ask('192.0.2.2'));
  });

  it('sends clients back when the new release is worse, or when it is cancelled', async () => {
    for (const how of ['worse', 'cancelled']) {
      const parts = await serveSite();
      const cancel = new AbortController();
      const switching = parts.switchTo(WATCHED, parts.alone, cancel.signal);
      await tried(parts);
      if (how === 'cancelled') cancel.abort(CANCELLED);
      else parts.state.trial = { ...parts.state.trial, crashes: 3 };
      await assert.rejects(switching, how === 'cancelled' ? CANCELLED : /; the old one takes over again$/);
      assert.equal(await parts.ask(), '200 version 1');
      assert.equal(
        parts.state.calls.some((call) => call.startsWith('abandon')),
        how === 'worse',
      );
    }
  });

  it('leaves the applications of a site open for the requests that clients have sent there, and then closes them', async (t) => {
    const closed: string[] = [];
    Object.assign(globalThis, { onTriedClosed: () => closed.push('tried') });
    t.after(() => Reflect.deleteProperty(globalThis, 'onTriedClosed'));
    const module = join(temporaryDirectory(t), 'other.mjs');
    writeFileSync(module, 'export default Object.assign(() => [], { close: async () => globalThis.onTriedClosed() });');
    const parts = await serveSite();
    const cancel = new AbortController();
    const settings = { ...WATCHED.settings, gracefulTimeoutMs: 1 };
    const modules = { other: { module, export: '', middleware: [] } };
    const switching = parts.switchTo({ ...WATCHED, settings, modules }, parts.alone, cancel.signal);
    await tried(parts);
    cancel.abort(CANCELLED);
    await assert.rejects(switching, CANCELLED);
    assert.deepEqual(closed, []);
    await eventually('the application is closed', () => closed.length > 0);
    assert.deepEqual(closed, ['tried']);
  });

  it('does not take place for the first site and in development', async () => {
    const parts = openSite();
    await parts.switchTo(WATCHED);
    await parts.switchTo({ ...WATCHED, settings: { ...WATCHED.settings, dev: true } });
    assert.equal(parts.state.calls.includes('try out'), false);
  });
});
