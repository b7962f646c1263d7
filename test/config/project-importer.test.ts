import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { createProjectImporter } from '../../src/config/project-importer.ts';
import { eachTestLifetime } from '../support/lifetime.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

describe('the importer of a project', () => {
  const eachTest = eachTestLifetime();

  function project(files: Readonly<Record<string, string>>): string {
    const directory = temporaryDirectory(eachTest);
    for (const [name, text] of Object.entries(files)) write(join(directory, name), text);
    return directory;
  }

  for (const [extension, type] of [
    ['ts', ''],
    ['mts', ''],
    ['mjs', ''],
    ['js', 'module'],
    ['js', ''],
  ] as const) {
    it(`imports a .${extension} file again, with what it imports${type === '' ? '' : ', in a package of ES modules'}`, async () => {
      const directory = project({
        'package.json': JSON.stringify(type === '' ? {} : { type }),
        [`app.${extension}`]: `import { value } from './part.${extension}';\nexport const text = value + '!';\n`,
        [`part.${extension}`]: "export const value = 'first';\n",
      });
      const entry = join(directory, `app.${extension}`);
      assert.equal((await load(entry)).text, 'first!');
      write(join(directory, `part.${extension}`), "export const value = 'second';\n");
      assert.equal((await load(entry)).text, 'second!');
      write(entry, "export const text = 'third';\n");
      assert.equal((await load(entry)).text, 'third');
    });
  }

  it('imports a CommonJS file again', async () => {
    for (const name of ['app.cjs', 'app.js']) {
      const entry = join(project({ [name]: 'module.exports = { text: 1 };' }), name);
      assert.equal((await load(entry)).text, 1);
      write(entry, 'module.exports = { text: 2 };');
      assert.equal((await load(entry)).text, 2, name);
    }
  });

  it('imports packages once', async () => {
    const directory = project({
      'node_modules/counter/package.json': '{ "type": "module", "exports": "./index.js" }',
      'node_modules/counter/index.js':
        'globalThis.counterImports = (globalThis.counterImports ?? 0) + 1;\nexport const make = () => ({});',
      'app.mjs': "import { make } from 'counter';\nexport const text = [globalThis.counterImports, make];\n",
    });
    const first = (await load(join(directory, 'app.mjs'))).text as unknown[];
    const second = (await load(join(directory, 'app.mjs'))).text as unknown[];
    assert.deepEqual([first[0], second[0]], [1, 1]);
    assert.equal(first[1], second[1]);
  });

  it('knows what ES modules know', async () => {
    const directory = project({
      'data.json': '{ "five": 5 }',
      'late.mjs': 'export const late = 6;',
      'app.mjs': [
        "import { readFileSync } from 'node:fs';",
        "import { odd } from './odd.mjs';",
        "const { late } = await import('./late.mjs');",
        "const { five } = JSON.parse(readFileSync(new URL('data.json', import.meta.url), 'utf8'));",
        'export const even = (n) => n === 0 || odd(n - 1);',
        'export const text = [five, late, even(4), import.meta.filename === undefined || import.meta.filename.endsWith("app.mjs")];',
      ].join('\n'),
      'odd.mjs': "import { even } from './app.mjs';\nexport const odd = (n) => n !== 0 && even(n - 1);\n",
    });
    assert.deepEqual((await load(join(directory, 'app.mjs'))).text, [5, 6, true, true]);
  });

  it('reports the error of a module with its place', async () => {
    const directory = project({
      'app.mjs': "\n\nthrow new Error('no database');\n",
      'syntax.mjs': 'export const = 1;\n',
    });
    await assert.rejects(load(join(directory, 'app.mjs')), (error: Error) => {
      assert.match(error.stack ?? '', /no database[\s\S]*app\.mjs/);
      return true;
    });
    await assert.rejects(load(join(directory, 'syntax.mjs')), /syntax\.mjs/);
  });
});

function load(path: string): Promise<Record<string, unknown>> {
  return createProjectImporter().import<Record<string, unknown>>(path);
}

function write(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}
