import assert from 'node:assert/strict';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { contentMemory } from '../../src/http/buffering/content-memory.ts';
import { UploadFile } from '../../src/workers/upload-file.ts';
import { suiteLifetime } from '../support/lifetime.ts';
import { createRandom, noise } from '../support/random.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { createSignal, eventually } from '../support/wait.ts';

/** A file and what its owner learned. */
function start(path: string) {
  const stored = createSignal();
  const errors: string[] = [];
  let rooms = 0;
  const file = new UploadFile(path, {
    onRoom: () => {
      rooms += 1;
    },
    onStored: () => stored.happen(),
    onFailed: ({ message }) => errors.push(message),
  });
  return { file, stored: stored.happened, errors, rooms: () => rooms };
}

describe('the file of an upload', () => {
  const directory = temporaryDirectory(suiteLifetime());
  let files = 0;
  const nextPath = (): string => join(directory, `upload-${++files}`);

  for (const [what, blockBytesMax, totalBytes] of [
    ['nothing', 1, 0],
    ['one byte', 1, 1],
    ['many small blocks', 3000, 1_000_000],
    ['blocks as long as its own', 131_072, 3_000_000],
    ['blocks longer than its own', 500_000, 6_000_000],
  ] as const) {
    for (const isKnown of [true, false]) {
      it(`has ${what}, in order, ${isKnown ? 'announced' : 'without announced length'}`, async () => {
        const { file, stored, errors, rooms } = start(nextPath());
        const content = noise(createRandom(totalBytes + 1), totalBytes);
        const random = createRandom(blockBytesMax);
        let refused = 0;
        for (let at = 0; at < totalBytes; ) {
          const end = Math.min(totalBytes, at + 1 + Math.floor(random() * blockBytesMax));
          const block = Buffer.from(content.subarray(at, end));
          const takesMore = file.append(block, isKnown ? totalBytes - end : Number.POSITIVE_INFINITY);
          block.fill(0);
          at = end;
          if (takesMore) continue;
          refused += 1;
          await eventually('it has room again', () => rooms() === refused);
        }
        file.end();
        await stored;
        assert.deepEqual(errors, []);
        assert.ok(readFileSync(file.path).equals(content));
        assert.equal(statSync(file.path).mode & 0o777, 0o600);
        assert.equal(contentMemory.held, 0);
        file.remove();
        await eventually('it is removed', () => !existsSync(file.path));
      });
    }
  }

  for (const [when, wait] of [
    ['at once', async () => {}],
    ['while it is written', () => sleep(1)],
    ['later', () => sleep(50)],
  ] as const) {
    for (const ended of [true, false]) {
      it(`leaves nothing when it is removed ${when}, ${ended ? 'after' : 'before'} its end`, async () => {
        const { file, errors } = start(nextPath());
        file.append(Buffer.alloc(1_000_000), Number.POSITIVE_INFINITY);
        if (ended) file.end();
        await wait();
        file.remove();
        await eventually('the memory is free', () => contentMemory.held === 0);
        await sleep(50);
        assert.ok(!existsSync(file.path));
        assert.deepEqual(errors, []);
      });
    }
  }

  it('fails once when it cannot be created, and leaves what is there', async () => {
    const path = nextPath();
    const first = start(path);
    first.file.append(Buffer.from('mine'), 0);
    first.file.end();
    await first.stored;
    const second = start(path);
    second.file.append(Buffer.alloc(1_000_000), 0);
    second.file.end();
    await eventually('it has failed', () => second.errors.length > 0);
    await sleep(20);
    assert.deepEqual(second.errors, [`EEXIST: file already exists, open '${path}'`]);
    assert.equal(readFileSync(path, 'utf8'), 'mine');
    assert.equal(contentMemory.held, 0);
  });
});
