import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { KNOWS_RESIDENT_MEMORY, residentBytes } from '../../src/workers/resident-memory.ts';
import { eachTestLifetime } from '../support/lifetime.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

describe('the resident memory of a process', () => {
  const eachTest = eachTestLifetime();

  it('is that of /proc in bytes', () => {
    const root = `${temporaryDirectory(eachTest)}/`;
    mkdirSync(join(root, 'proc/71'), { recursive: true });
    writeFileSync(join(root, 'proc/71/status'), 'Name:\tpython3\nVmHWM:\t  99 kB\nVmRSS:\t   42 kB\nRssAnon:\t 7 kB\n');
    assert.equal(residentBytes(71, root), 42 * 1024);
  });

  it('is 0 for a process that has ended, and for one without memory', () => {
    const root = `${temporaryDirectory(eachTest)}/`;
    mkdirSync(join(root, 'proc/72'), { recursive: true });
    writeFileSync(join(root, 'proc/72/status'), 'Name:\tpython3\nState:\tZ (zombie)\n');
    assert.equal(residentBytes(71, root), 0);
    assert.equal(residentBytes(72, root), 0);
  });

  if (KNOWS_RESIDENT_MEMORY)
    it('is about what the process itself knows', () => {
      const [bytes, own] = [residentBytes(process.pid), process.memoryUsage.rss()];
      assert.ok(bytes > own / 2 && bytes < own * 2, `${bytes} ${own}`);
    });
});
