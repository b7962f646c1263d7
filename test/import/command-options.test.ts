import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { FORMS } from '../../src/import/commands/command-forms.ts';
import { settingsOf } from '../../src/import/commands/gunicorn-command.ts';
import { NO_PACKAGES, PYTHON_WITH_PACKAGES, ROOT } from '../support/viaduct.ts';

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
/** All options of granian and waitress, with both forms of a switch. */
const OTHERS = `import json
import click
from granian.cli import cli
from waitress.adjustments import Adjustments

options = {"granian": [], "waitress": [["call", False]]}
for one in cli.params:
    if isinstance(one, click.Option):
        options["granian"] += [[flag.removeprefix("--"), not one.is_flag] for flag in one.opts + one.secondary_opts]
for name, cast in Adjustments._params:
    flag = name.replace("_", "-")
    if cast.__name__ == "asbool":
        options["waitress"] += [[flag, False], ["no-" + flag, False]]
    elif name != "sockets":
        options["waitress"].append([flag, True])
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

describe('the command lines of granian and waitress', { skip: NO_PACKAGES }, () => {
  const { stdout } = spawnSync(PYTHON_WITH_PACKAGES ?? '', ['-c', OTHERS], { encoding: 'utf8' });
  const options = JSON.parse(stdout || '{}') as Record<'granian' | 'waitress', [name: string, takesValue: boolean][]>;

  for (const server of ['granian', 'waitress'] as const)
    it(`have no option of ${server} that is unknown or takes the application for its value`, () => {
      const { switches, options: known } = FORMS[server];
      assert.ok(options[server].length > 30);
      assert.deepEqual(
        options[server].filter(([name, takesValue]) => switches.has(name) === takesValue),
        [],
      );
      assert.deepEqual(
        options[server].map(([name]) => name).filter((name) => !Object.hasOwn(known, name) && !switches.has(name)),
        [],
      );
    });
});

/** Options of mod_wsgi-express by the number of their values, as its own parser has them. */
const EXPRESS = JSON.parse(readFileSync(join(ROOT, 'test/import/mod-wsgi-express-options.json'), 'utf8')) as {
  readonly values: Readonly<Record<'0' | '1' | '2', readonly string[]>>;
};

describe('the command line of mod_wsgi-express', () => {
  const { switches, pairs = new Set(), options: known } = FORMS['mod_wsgi-express'];
  const valuesOf = (name: string): string => (switches.has(name) ? '0' : pairs.has(name) ? '2' : '1');

  it('has no option that takes the application for its value', () => {
    for (const [count, names] of Object.entries(EXPRESS.values)) {
      assert.ok(names.length > 10);
      assert.deepEqual(
        names.filter((name) => valuesOf(name) !== count),
        [],
        count,
      );
    }
  });

  it('is known with the options that it has, and no others', () => {
    const all = new Set(Object.values(EXPRESS.values).flat());
    assert.deepEqual(
      [...Object.keys(known), ...switches, ...pairs].filter((name) => !all.has(name)),
      [],
    );
  });
});
