import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { processorTime } from '../../../src/cli/control/processor-time.ts';
import { eachTestLifetime } from '../../support/lifetime.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

describe('the processor time of a process', () => {
  const eachTest = eachTestLifetime();
  const STAT = '71 (a) 9 (b) R 1 71 71 0 -1 4194304 120 0 0 0 12 30 7 8 20 0 4 0 99 1000 200\n';

  it('is the user and system time of /proc, whatever the program is called, and the waits of all threads', () => {
    const root = `${temporaryDirectory(eachTest)}/`;
    for (const [thread, schedstat] of [
      ['71', '400000000 5000000 12\n'],
      ['72', '20000000 2500000 3\n'],
    ] as const) {
      mkdirSync(join(root, 'proc/71/task', thread), { recursive: true });
      writeFileSync(join(root, 'proc/71/task', thread, 'schedstat'), schedstat);
    }
    writeFileSync(join(root, 'proc/71/stat'), STAT);
    assert.deepEqual(processorTime(71, root), { usedMs: 420, waitedMs: 7.5 });
  });

  it('has no waits where the kernel does not count them', () => {
    const root = `${temporaryDirectory(eachTest)}/`;
    mkdirSync(join(root, 'proc/71/task/71'), { recursive: true });
    writeFileSync(join(root, 'proc/71/stat'), STAT);
    assert.deepEqual(processorTime(71, root), { usedMs: 420, waitedMs: 0 });
  });

  it('is not known for a process that has ended', () => {
    assert.equal(processorTime(71, `${temporaryDirectory(eachTest)}/`), null);
  });
});
