import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, it } from 'node:test';
import { settingsOf } from '../../src/import/commands/gunicorn-command.ts';
import { NO_PACKAGES, PYTHON_WITH_PACKAGES } from '../support/viaduct.ts';

/** An option of the command line, and the setting that it gives. */
type Option = readonly [flag: string, setting: string, takesValue: boolean];

/** All options of gunicorn, as its own parser has them. */
const CODE = `import json
from gunicorn.config import KNOWN_SETTINGS

options = []
for one in KNOWN_SETTINGS:
    for flag in one.cli or []:
        options.append([flag, one.name, not (one.action or "").startswith("store_") and one.nargs != "?"])
print(json.dumps(options))
`;
const STATEMENT = { file: 'Procfile', line: 1, text: 'web' } as const;

describe('the command line of gunicorn', { skip: NO_PACKAGES }, () => {
  const { stdout } = spawnSync(PYTHON_WITH_PACKAGES ?? '', ['-c', CODE], { encoding: 'utf8' });
  const options = JSON.parse(stdout || '[]') as Option[];

  it('has options', () => assert.ok(options.length > 80));

  for (const [flag, setting, takesValue] of options)
    it(`${flag} sets ${setting}`, () => {
      const args = takesValue ? [flag, 'value', 'shop.wsgi'] : [flag, 'shop.wsgi'];
      const found = settingsOf(args, STATEMENT).map(({ name, value }) => [
        name,
        value.kind === 'literal' ? value.value : value.kind,
      ]);
      const [own, target] = found;
      assert.deepEqual(target, ['wsgi_app', 'shop.wsgi']);
      assert.equal(own?.[0], setting);
      assert.deepEqual([own?.[1]].flat(), [takesValue ? 'value' : true]);
    });

  it('reads the value that --proxy-protocol may have', () => {
    const names = settingsOf(['--proxy-protocol', 'v2', 'shop.wsgi'], STATEMENT).map(({ value }) => value);
    assert.deepEqual(names, [
      { kind: 'literal', value: 'v2' },
      { kind: 'literal', value: 'shop.wsgi' },
    ]);
  });
});
