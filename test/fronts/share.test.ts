import { deepEqual, equal } from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SETTINGS, type Settings, settingNames } from '../../src/config/settings.ts';
import { frontConfiguration } from '../../src/server/cluster/process-configuration.ts';

const DEFAULTS = Object.fromEntries(
  settingNames().map((name) => [name, SETTINGS[name].default]),
) as unknown as Settings;

/** What front `index` gets of a server with these settings. */
function frontSettings(settings: Settings, index: number): Settings {
  const nothing = { project: null, site: null, bases: {}, listenOrigin: '', applications: {}, modules: {} };
  return frontConfiguration({ ...nothing, settings }, index).settings;
}

describe('the share of a front', () => {
  for (const [fronts, workers, shares] of [
    [1, 4, [4]],
    [2, 4, [2, 2]],
    [3, 8, [3, 3, 2]],
    [4, 2, [1, 1, 1, 1]],
  ] as const) {
    it(`is ${shares.join(', ')} of ${workers} workers for ${fronts} fronts`, () => {
      const given = { ...DEFAULTS, fronts, workers };
      deepEqual(
        shares.map((_, index) => frontSettings(given, index).workers),
        shares,
      );
    });
  }

  it('is a part of the limits that hold for the whole server, and of no other setting', () => {
    const given = { ...DEFAULTS, fronts: 4, workers: 4, connectionsMax: 1001, queueMax: 10, staticCacheBytesMax: 400 };
    const share = frontSettings(given, 3);
    deepEqual(share, { ...given, workers: 1, connectionsMax: 251, queueMax: 3, staticCacheBytesMax: 100 });
    equal(frontSettings({ ...given, queueMax: 0 }, 0).queueMax, 0);
  });
});
