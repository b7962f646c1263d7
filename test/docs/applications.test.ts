import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { readPage } from '../support/pages.ts';
import { ROOT } from '../support/viaduct.ts';

const HERE = join(ROOT, 'test/applications');
const NAMES = readdirSync(HERE).filter((name) => existsSync(join(HERE, name, 'requirements.txt')));

describe('the table of applications', () => {
  const page = readPage('applications.md');
  const rows = [...page.matchAll(/^\| \[([\w ]+)\]\(#(\w+)\) \| (\S+) \|/gm)];

  it('has each application that is tested, with the version that is tested', () => {
    const pinned = NAMES.map((name) => {
      const lines = readFileSync(join(HERE, name, 'requirements.txt'), 'utf8').split('\n');
      return lines.find((line) => line.toLowerCase().startsWith(`${name}==`))?.toLowerCase();
    });
    const shown = rows.map(([, , name, version]) => `${name}==${version}`);
    assert.deepEqual(shown.sort(), pinned.sort());
    assert.ok(shown.length >= 8);
  });

  it('pins each package, so that pip has nothing to decide', () => {
    for (const name of NAMES) {
      const lines = readFileSync(join(HERE, name, 'requirements.txt'), 'utf8')
        .trim()
        .split('\n');
      for (const line of lines) assert.match(line, /^[\w.-]+==[\w.]+$/, name);
    }
  });

  it('leads to a section and to a test for each', () => {
    for (const [, title, name] of rows) {
      assert.match(page, new RegExp(`^## ${title}$`, 'm'));
      assert.ok(existsSync(join(ROOT, `.build/test/applications/${name}.test.js`)), name);
    }
  });
});
