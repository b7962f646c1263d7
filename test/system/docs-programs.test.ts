import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { makeProject, WSGI_APP } from '../support/project.ts';
import { ROOT } from '../support/viaduct.ts';

/** The programs of the documentation: blocks of JavaScript whose first line is a file name. A program exits by itself without an error. */
const PROGRAMS = readdirSync(join(ROOT, 'docs'))
  .filter((page) => page.endsWith('.md'))
  .flatMap((page) => {
    const text = readFileSync(join(ROOT, 'docs', page), 'utf8');
    return [...text.matchAll(/^```js\n\/\/ ([\w-]+\.mjs)\n([\s\S]*?)^```$/gm)].map(([, name = '', source = '']) => ({
      page,
      name,
      source,
    }));
  });

describe('a program of the documentation', { concurrency: 2 }, () => {
  it('is found', () => assert.ok(PROGRAMS.length >= 4));

  for (const { page, name, source } of PROGRAMS) {
    it(`of ${page}, ${name}, runs and exits`, async (t) => {
      const project = makeProject(t, { 'wsgi.py': WSGI_APP, 'assets/index.html': 'a page' });
      mkdirSync(join(project, 'node_modules'));
      symlinkSync(ROOT, join(project, 'node_modules/viaduct'));
      writeFileSync(join(project, name), source);
      const child = spawn(process.execPath, [name], {
        cwd: project,
        stdio: ['ignore', 'pipe', 'pipe'],
        timeout: 60_000,
      });
      let output = '';
      for (const stream of [child.stdout, child.stderr])
        stream.on('data', (block: Buffer) => (output += block.toString()));
      const [code] = (await once(child, 'close')) as [number | null];
      assert.equal(code, 0, output);
    });
  }
});
