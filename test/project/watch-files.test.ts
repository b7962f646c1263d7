import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { MovingWatch } from '../../src/project/moving-watch.ts';
import { watchFiles } from '../../src/project/watch-files.ts';
import { eventually } from '../support/wait.ts';

describe('watchFiles', () => {
  let directory: string;
  let changes: number;
  let stop: () => void;
  const at = (path: string) => join(directory, path);

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'viaduct-files-'));
    mkdirSync(at('real'));
    writeFileSync(at('a.toml'), '');
    writeFileSync(at('real/link.toml'), '');
    symlinkSync(at('real/link.toml'), at('link.toml'));
    changes = 0;
    const paths = ['a.toml', 'later.toml', 'link.toml', 'nowhere/b.toml'].map(at);
    stop = watchFiles(paths, () => (changes += 1), 20);
  });

  afterEach(() => {
    stop();
    rmSync(directory, { recursive: true, force: true });
  });

  const cases: [string, () => void][] = [
    ['a file is written', () => writeFileSync(at('a.toml'), 'x')],
    ['a file is removed', () => rmSync(at('a.toml'))],
    ['a file is created later', () => writeFileSync(at('later.toml'), 'x')],
    ['the target of a link is written', () => writeFileSync(at('real/link.toml'), 'x')],
    [
      'a file is replaced by rename',
      () => {
        writeFileSync(at('new'), 'x');
        renameSync(at('new'), at('a.toml'));
      },
    ],
  ];
  for (const [description, change] of cases) {
    it(`reports a change when ${description}`, async () => {
      change();
      await eventually('the change is reported', () => changes === 1);
    });
  }

  it('reports no changes of other files, and changes within a short time once', async () => {
    writeFileSync(at('other.toml'), 'x');
    writeFileSync(at('a.toml'), 'x');
    writeFileSync(at('later.toml'), 'x');
    await eventually('the change is reported', () => changes > 0);
    assert.equal(changes, 1);
  });
});

describe('MovingWatch', () => {
  it('starts and ends a watch for each followed value, and none after it is closed', () => {
    const log: string[] = [];
    const watch = new MovingWatch<string>((watched) => {
      log.push(`start ${watched}`);
      return () => log.push(`end ${watched}`);
    });
    for (const watched of ['a', 'a', 'b', null, 'c']) watch.follow(watched);
    watch.close();
    watch.follow('d');
    assert.deepEqual(log, ['start a', 'end a', 'start b', 'end b', 'start c', 'end c']);
  });
});
