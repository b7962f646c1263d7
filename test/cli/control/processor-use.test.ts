import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type ProcessorTimes, processorTimes, useBetween } from '../../../src/cli/control/processor-use.ts';

const FIRST: ProcessorTimes = {
  ...{ atMs: 1000, processors: 2, busyMs: 500, idleMs: 500 },
  processes: new Map([[1, { usedMs: 40, waitedMs: 10 }]]),
};

describe('the use of processors between two moments', () => {
  it('is a part of one processor for each process, and of all for the machine', () => {
    const processes = new Map([[1, { usedMs: 190, waitedMs: 60 }]]);
    assert.deepEqual(useBetween(FIRST, { ...FIRST, atMs: 1200, busyMs: 600, idleMs: 800, processes }), {
      ...{ processors: 2, machine: 0.25 },
      processes: new Map([[1, { used: 0.75, waited: 0.25 }]]),
    });
  });

  it('is not below 0 when threads have ended', () => {
    const processes = new Map([[1, { usedMs: 40, waitedMs: 2 }]]);
    const { processes: use } = useBetween(FIRST, { ...FIRST, atMs: 1100, processes });
    assert.deepEqual([...use], [[1, { used: 0, waited: 0 }]]);
  });

  it('is not known for a process that was not there before, and without time', () => {
    const processes = new Map([[2, { usedMs: 9, waitedMs: 0 }]]);
    assert.deepEqual(useBetween(FIRST, { ...FIRST, processes }), {
      ...{ processors: 2, machine: null },
      processes: new Map(),
    });
  });
});

describe('processorTimes', () => {
  it('has the processors of the machine, and no process that has ended', () => {
    const { processors, busyMs, idleMs, processes } = processorTimes([2 ** 30]);
    assert.ok(processors > 0 && busyMs + idleMs > 0);
    assert.deepEqual([...processes], []);
  });
});
