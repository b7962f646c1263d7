import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { helpText } from '../../src/cli/help.ts';
import { flagName } from '../../src/config/setting.ts';
import { settingNames } from '../../src/config/settings.ts';

describe('the help', () => {
  const text = helpText();

  it('fits a terminal of 100 columns', () => {
    for (const line of text.split('\n')) {
      assert.ok(line.length <= 100, line);
      assert.equal(line, line.trimEnd());
    }
  });

  it('names every setting once as a flag', () => {
    for (const name of settingNames()) {
      if (name === 'target') continue;
      const flag = flagName(name).replace('--', '');
      const lines = text.split('\n').filter((line) => new RegExp(`^  --(\\[no-\\])?${flag}( |$)`).test(line));
      assert.equal(lines.length, 1, name);
    }
  });

  it('explains every command', () => {
    for (const command of ['serve', 'check', 'help', 'version']) {
      assert.match(text, new RegExp(`^  ${command} +[A-Z].+`, 'm'));
    }
  });

  it('lists the targets, the sources of settings and their order', () => {
    for (const part of [
      'PATH',
      'MODULE:CALLABLE',
      'VIADUCT_',
      'viaduct.toml',
      '[tool.viaduct]',
      'pyproject.toml',
      'win',
    ]) {
      assert.ok(text.includes(part), part);
    }
  });

  it('prints defaults in the form of the settings', () => {
    for (const part of ['127.0.0.1:8000', '8KiB', '30s', '1GiB'])
      assert.ok(text.includes(`Default: ${part}`) || text.includes(` ${part}.`), part);
    assert.doesNotMatch(text, /undefined|null|NaN|\[object/);
  });
});
