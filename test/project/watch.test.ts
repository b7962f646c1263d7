import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, renameSync, rmSync, watch, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { PROJECT_FILES, watchProject } from '../../src/project/watch.ts';
import { eventually } from '../support/wait.ts';

describe('watchProject', () => {
  let directory: string;
  let changes: number;
  let stop: () => void;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'viaduct-watch-'));
    mkdirSync(join(directory, 'shop/templates/shop'), { recursive: true });
    mkdirSync(join(directory, '.venv/lib'), { recursive: true });
    writeFileSync(join(directory, 'shop/views.py'), '');
    changes = 0;
    stop = watchProject(directory, () => {
      changes += 1;
    });
  });

  afterEach(() => {
    stop();
    rmSync(directory, { recursive: true, force: true });
  });

  const cases: [string, (at: (path: string) => string) => void][] = [
    ['a module is written', (at) => writeFileSync(at('shop/views.py'), 'x = 1\n')],
    ['a module is replaced by rename, as editors do', (at) => replace(at('shop/views.py'))],
    ['a module is removed', (at) => rmSync(at('shop/views.py'))],
    ['a template is written', (at) => writeFileSync(at('shop/templates/shop/cart.txt'), 'x')],
    [
      'a package is created later',
      (at) => {
        mkdirSync(at('blog'));
        writeFileSync(at('blog/models.py'), '');
      },
    ],
  ];
  for (const [description, act] of cases) {
    it(`reports one change when ${description}`, async () => {
      act((path) => join(directory, path));
      await eventually('the change is reported', () => changes === 1);
    });
  }

  it('watches a package that is created later', async () => {
    mkdirSync(join(directory, 'blog/deep'), { recursive: true });
    writeFileSync(join(directory, 'blog/deep/a.py'), '');
    await eventually('the new package is reported', () => changes === 1);
    writeFileSync(join(directory, 'blog/deep/a.py'), 'x = 1\n');
    await eventually('the change in the new package is reported', () => changes === 2);
  });

  it('reports nothing when data, caches or the virtual environment change', async () => {
    stop();
    stop = watchProject(directory, () => (changes += 1), PROJECT_FILES, 0);
    const observer = watch(directory);
    const observed = once(observer, 'change');
    writeFileSync(join(directory, '.venv/lib/a.py'), '');
    mkdirSync(join(directory, 'shop/__pycache__'));
    mkdirSync(join(directory, 'media/2026'), { recursive: true });
    writeFileSync(join(directory, 'media/2026/photo.jpg'), 'x');
    writeFileSync(join(directory, 'db.sqlite3'), 'x');
    await observed;
    observer.close();
    await new Promise((resolve) => setTimeout(resolve, 1)); // runs after the timers that the changes have set
    assert.equal(changes, 0);
    rmSync(join(directory, 'shop/views.py'));
    await eventually('the removed module is reported', () => changes === 1);
  });
});

function replace(path: string): void {
  writeFileSync(`${path}.tmp`, 'x = 2\n');
  renameSync(`${path}.tmp`, path);
}
