import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { environmentName, fileKey, flagName, type Setting } from '../../src/config/setting.ts';
import { SETTINGS, settingNames } from '../../src/config/settings.ts';
import { formatValue, parseValue } from '../../src/config/value.ts';
import { ROOT } from '../support/viaduct.ts';

describe('the table of settings', () => {
  it('spells each name in three ways', () => {
    assert.equal(fileKey('headerTimeoutMs'), 'header_timeout_ms');
    assert.equal(flagName('headerTimeoutMs'), '--header-timeout-ms');
    assert.equal(environmentName('headerTimeoutMs'), 'VIADUCT_HEADER_TIMEOUT_MS');
  });

  for (const name of settingNames()) {
    const setting: Setting = SETTINGS[name];

    it(`has a valid default of ${name}`, () => {
      if (setting.default === null) return;
      const values = setting.kind === 'list' ? setting.default : [setting.default];
      for (const value of values) assert.deepEqual(parseValue(setting, formatValue(setting, value), '/'), { value });
    });

    it(`describes ${name} and the reason for its default in whole sentences`, () => {
      assert.match(setting.help, /^[A-Z0-9/].+\.$/);
      assert.match(setting.reason, /^[A-Za-z].+\.$/);
    });

    it(`has the unit in the name of ${name}`, () => {
      if (setting.kind === 'bytes') assert.match(name, /Bytes(Max|Min)?$/);
      if (setting.kind === 'duration') assert.match(name, /Ms$/);
    });
  }

  it('has each name of another server once, and none of its own names', () => {
    const others = settingNames().flatMap((name) => (SETTINGS[name] as Setting).alsoCalled?.split(' ') ?? []);
    const all = [...others, ...settingNames().map(fileKey)];
    assert.deepEqual(
      all.filter((name, index) => all.indexOf(name) !== index),
      [],
    );
    for (const name of others) assert.match(name, /^[a-z][a-z0-9_]*$/);
  });

  it('is the source of docs/settings.md', () => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [join(ROOT, 'scripts/docs.mjs'), '--check'], {
      encoding: 'utf8',
    });
    assert.equal(status, 0, `${stdout}${stderr}`);
  });
});
