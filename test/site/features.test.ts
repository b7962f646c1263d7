import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { FEATURES } from '../../src/site/features.ts';
import { staticImports } from '../support/static-imports.ts';
import { ROOT } from '../support/viaduct.ts';

describe('the table of features', () => {
  const keys: string[] = FEATURES.map(({ key }) => key);

  it('has each key once', () => assert.equal(new Set(keys).size, keys.length));

  it('is in the order that docs/handlers.md promises', () => {
    const text = readFileSync(join(ROOT, 'docs/handlers.md'), 'utf8');
    const order = /\*\*Order\.\*\*.+?\n\n(.+?)the\napplication/s.exec(text)?.[1] ?? '';
    assert.deepEqual(
      [...order.matchAll(/`(\w+)`/g)].map(([, key]) => key),
      keys,
    );
  });
});

describe('handlers', () => {
  const files = readdirSync(join(ROOT, 'src/handlers'), { recursive: true, encoding: 'utf8' });
  const modules = files.filter((file) => file.endsWith('.ts')).map((file) => `handlers/${file.slice(0, -3)}`);

  it('are found', () => assert.ok(modules.length > 40));

  for (const module of modules) {
    it(`load neither configuration nor zod as a library: ${module}`, () => {
      const loaded = [...staticImports(module)];
      assert.deepEqual(
        loaded.filter((name) => /^(?:zod$|config\/|site\/)/.test(name)),
        [],
      );
    });
  }
});

describe('the schema of the site', () => {
  const SCHEMA = ['zod', 'site/features', 'site/build', 'site/schema/site'];

  it('is loaded with its reader, and handlers with a site that is built', () => {
    assert.ok(SCHEMA.every((name) => name === 'site/build' || staticImports('site/schema/site-reader').has(name)));
    assert.ok(staticImports('site/build').has('handlers/limits/rate-limit'));
  });

  for (const program of ['cli/commands/serve', 'cli/commands/control', 'server/cluster/process-server', 'index']) {
    it(`is not loaded before a configuration needs it: ${program}`, () => {
      const loaded = staticImports(program);
      assert.ok(loaded.size > 20);
      assert.deepEqual(
        SCHEMA.filter((name) => loaded.has(name)),
        [],
      );
    });
  }
});
