import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { LifeSigns } from '../../../src/server/cluster/life-signs.ts';

describe('the signs of life of server processes', () => {
  it('are reported once when they are missing, and again when they were there meanwhile', () => {
    const reports: unknown[] = [];
    const signs = new LifeSigns({ error: (_message, fields) => void reports.push(fields) });
    const processes = [
      { state: 'ready' as const, lifeSignMs: 1000, pid: 7 },
      { state: 'gone' as const, lifeSignMs: 0, pid: 8 },
    ];
    assert.equal(signs.check(processes, 6000), true);
    assert.equal(signs.check(processes, 6001), false);
    assert.equal(signs.check(processes, 9000), false);
    assert.deepEqual(reports, [{ pids: '7' }]);
    assert.equal(signs.check([], 9000), true);
    assert.equal(signs.check(processes, 9000), false);
    assert.equal(reports.length, 2);
  });
});
