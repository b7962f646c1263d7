import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { ROOT } from '../support/viaduct.ts';

const NO_TYPEDOC = existsSync(join(ROOT, 'scripts/api-docs/node_modules/typedoc'))
  ? false
  : 'TypeDoc is not installed: npm run docs:api installs it';

interface Package {
  readonly exports: Readonly<Record<string, string | { readonly types: string }>>;
}

/** The names that a declaration file exports, also by `export type * from`. */
function namesIn(file: string): string[] {
  const source = readFileSync(file, 'utf8');
  const lists = [...source.matchAll(/^export (?:type )?\{([^}]+)\}/gm)].flatMap(([, list = '']) => list.split(','));
  const listed = lists.map((item) => item.trim().replace(/^type |^\w+ as /g, '')).filter((name) => name !== '');
  const declared = [...source.matchAll(/^export (?:declare )?(?:interface|type|function|class|const) (\w+)/gm)];
  const whole = [...source.matchAll(/^export type \* from '(.+)\.ts';/gm)];
  return [
    ...listed,
    ...declared.map(([, name = '']) => name),
    ...whole.flatMap(([, path = '']) => namesIn(join(dirname(file), `${path}.d.ts`))),
  ];
}

describe('the API reference', { skip: NO_TYPEDOC }, () => {
  it('builds without a warning, and has a page for each exported name of each entry', (t) => {
    const output = temporaryDirectory(t);
    const script = join(ROOT, 'scripts/api-docs.mjs');
    const { status, stdout, stderr } = spawnSync(process.execPath, [script, output], { encoding: 'utf8' });
    assert.doesNotMatch(`${stdout}${stderr}`, /\[(?:warning|error)\]/);
    assert.equal(status, 0, `${stdout}${stderr}`);
    const pages = readdirSync(output, { recursive: true }).map(String);
    const { exports } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as Package;
    let count = 0;
    for (const [entry, files] of Object.entries(exports)) {
      if (typeof files === 'string') continue;
      const module = entry === '.' ? 'viaduct' : `viaduct_${entry.slice(2)}`;
      const overview = readFileSync(join(output, 'modules', `${module}.html`), 'utf8');
      for (const name of namesIn(join(ROOT, files.types))) {
        const hasPage = pages.some((page) => page.endsWith(`/${module}.${name}.html`));
        assert.ok(hasPage || new RegExp(`href="[^"]+\\.${name}\\.html"`).test(overview), `${module}: ${name}`);
        count += 1;
      }
    }
    assert.ok(count > 150, `${count}`);
  });
});
