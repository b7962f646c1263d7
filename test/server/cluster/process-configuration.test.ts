import { deepEqual, equal } from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SETTINGS, type Settings, settingNames } from '../../../src/config/settings.ts';
import { processConfiguration } from '../../../src/server/cluster/process-configuration.ts';

const DEFAULTS = Object.fromEntries(
  settingNames().map((name) => [name, SETTINGS[name].default]),
) as unknown as Settings;

/** The settings of the server process `index`. */
function processSettings(settings: Settings, index: number): Settings {
  const nothing = { project: null, site: null, bases: {}, listenOrigin: '', applications: {}, modules: {} };
  return processConfiguration({ ...nothing, settings }, index).settings;
}

describe('the share of a server process', () => {
  for (const [processes, workers, shares] of [
    [1, 4, [4]],
    [2, 4, [2, 2]],
    [3, 8, [3, 3, 2]],
    [4, 2, [1, 1, 1, 1]],
  ] as const) {
    it(`is ${shares.join(', ')} of ${workers} workers for ${processes} processes`, () => {
      const settings = { ...DEFAULTS, processes, workers };
      deepEqual(
        shares.map((_, index) => processSettings(settings, index).workers),
        shares,
      );
    });
  }

  it('has its part of the fewest workers, and none of it without a minimum', () => {
    const shares = (workersMin: number): number[] =>
      [0, 1, 2].map(
        (index) => processSettings({ ...DEFAULTS, processes: 3, workers: 9, workersMin }, index).workersMin,
      );
    deepEqual(
      [shares(0), shares(2), shares(4)],
      [
        [0, 0, 0],
        [1, 1, 1],
        [2, 1, 1],
      ],
    );
  });

  it('is a part of the limits for the whole server, and of no other setting', () => {
    const settings = {
      ...DEFAULTS,
      processes: 4,
      workers: 4,
      connectionsMax: 1001,
      queueMax: 10,
      staticCacheBytesMax: 400,
      contentMemoryBytesMax: 800,
    };
    const share = processSettings(settings, 3);
    const limits = { connectionsMax: 251, queueMax: 3, staticCacheBytesMax: 100, contentMemoryBytesMax: 200 };
    deepEqual(share, { ...settings, workers: 1, ...limits });
    equal(processSettings({ ...settings, queueMax: 0 }, 0).queueMax, 0);
  });
});
