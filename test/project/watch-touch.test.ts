import assert from 'node:assert/strict';
import { mkdirSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { watchTouch } from '../../src/project/watch-touch.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { eventually } from '../support/wait.ts';

describe('a file that starts a reload', () => {
  /** Watches `name`, and another file, which tells when the watch has looked. */
  function start(t: TestContext, name: string, prepare: (directory: string) => void = () => {}) {
    const directory = temporaryDirectory(t);
    prepare(directory);
    const path = join(directory, name);
    let touches = 0;
    let looks = 0;
    t.after(
      watchTouch(
        path,
        () => {
          touches += 1;
        },
        5,
      ),
    );
    t.after(
      watchTouch(
        join(directory, 'other'),
        () => {
          looks += 1;
        },
        5,
      ),
    );
    let seconds = 1_000_000_000;
    const touch = (file = path): void => {
      seconds += 10;
      writeFileSync(file, '');
      utimesSync(file, seconds, seconds);
    };
    const looked = async (): Promise<void> => {
      for (let i = 0; i < 2; i += 1) {
        const before = looks;
        touch(join(directory, 'other'));
        await eventually('the watch has looked', () => looks > before);
      }
    };
    return { directory, path, touch, looked, touches: () => touches };
  }

  it('is waited for, and starts one with each touch', async (t) => {
    const { path, touch, touches, looked } = start(t, 'restart.txt');
    await looked();
    assert.equal(touches(), 0);
    touch();
    await eventually('the first touch is seen', () => touches() === 1);
    touch();
    await eventually('the second touch is seen', () => touches() === 2);
    rmSync(path);
    await looked();
    assert.equal(touches(), 2);
    touch();
    await eventually('the third touch is seen', () => touches() === 3);
  });

  it('starts none because it is there', async (t) => {
    const { touches, looked } = start(t, 'restart.txt', (directory) =>
      writeFileSync(join(directory, 'restart.txt'), ''),
    );
    await looked();
    assert.equal(touches(), 0);
  });

  it('is found behind a symbolic link that is switched', async (t) => {
    const { directory, touch, touches, looked } = start(t, 'current/restart.txt', (top) => {
      for (const release of ['1', '2']) mkdirSync(join(top, release));
      symlinkSync('1', join(top, 'current'));
    });
    symlinkSync('2', join(directory, 'new'));
    renameSync(join(directory, 'new'), join(directory, 'current'));
    await looked();
    assert.equal(touches(), 0);
    touch(join(directory, '2', 'restart.txt'));
    await eventually('the touch is seen', () => touches() === 1);
  });
});
