import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { MovingWatch } from '../../src/project/moving-watch.ts';
import { watchFiles } from '../../src/project/watch-files.ts';
import { eventually } from '../support/socket-client.ts';

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
    ['a file comes later', () => writeFileSync(at('later.toml'), 'x')],
    ['the file behind a link is written', () => writeFileSync(at('real/link.toml'), 'x')],
    [
      'a file is replaced by rename',
      () => {
        writeFileSync(at('new'), 'x');
        renameSync(at('new'), at('a.toml'));
      },
    ],
  ];
  for (const [what, change] of cases) {
    it(`tells when ${what}`, async () => {
      change();
      await eventually('it is told', () => changes === 1);
    });
  }

  it('tells nothing of other files, and once of changes that come together', async () => {
    writeFileSync(at('other.toml'), 'x');
    writeFileSync(at('a.toml'), 'x');
    writeFileSync(at('later.toml'), 'x');
    await eventually('it is told', () => changes > 0);
    assert.equal(changes, 1);
  });
});

describe('MovingWatch', () => {
  it('begins and ends with what it follows, and follows nothing when it is closed', () => {
    const log: string[] = [];
    const watch = new MovingWatch<string>((what) => {
      log.push(`begin ${what}`);
      return () => log.push(`end ${what}`);
    });
    for (const what of ['a', 'a', 'b', null, 'c']) watch.follow(what);
    watch.close();
    watch.follow('d');
    assert.deepEqual(log, ['begin a', 'end a', 'begin b', 'end b', 'begin c', 'end c']);
  });
});
