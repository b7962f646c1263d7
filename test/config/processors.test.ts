import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { usableProcessors } from '../../src/config/processors.ts';
import { eachTestLifetime } from '../support/lifetime.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const V2 = { 'proc/self/cgroup': '0::/kubepods/pod7/app\n' };
const V1 = {
  'proc/self/cgroup': '9:name=systemd:/docker/7\n4:cpu,cpuacct:/docker/7\n3:cpuset:/docker/7\n0::/docker/7\n',
};
const HERE = 'sys/fs/cgroup/kubepods/pod7/app/cpu.max';
const V1_HERE = 'sys/fs/cgroup/cpu,cpuacct/docker/7';

describe('the number of usable processors', () => {
  const eachTest = eachTestLifetime();

  for (const [title, files, expected] of [
    ['all, without control groups', {}, 8],
    ['all, without a quota', { ...V2, [HERE]: 'max 100000\n' }, 8],
    ['that of the quota', { ...V2, [HERE]: '200000 100000\n' }, 2],
    ['that of the quota, rounded up', { ...V2, [HERE]: '150000 100000\n' }, 2],
    ['at least one', { ...V2, [HERE]: '10000 100000\n' }, 1],
    ['all, when the quota is higher', { ...V2, [HERE]: '6400000 100000\n' }, 8],
    [
      'the lowest of the groups above',
      { ...V2, [HERE]: '400000 100000\n', 'sys/fs/cgroup/kubepods/pod7/cpu.max': '300000 100000\n' },
      3,
    ],
    ['that of the top in a container', { 'proc/self/cgroup': '0::/\n', 'sys/fs/cgroup/cpu.max': '300000 100000\n' }, 3],
    [
      'that of the top when the path leads out of the container',
      { 'proc/self/cgroup': '0::/../../other\n', 'sys/fs/cgroup/cpu.max': '300000 100000\n' },
      3,
    ],
    [
      'that of a quota of version 1',
      { ...V1, [`${V1_HERE}/cpu.cfs_quota_us`]: '250000\n', [`${V1_HERE}/cpu.cfs_period_us`]: '100000\n' },
      3,
    ],
    [
      'all, without a quota of version 1',
      { ...V1, [`${V1_HERE}/cpu.cfs_quota_us`]: '-1\n', [`${V1_HERE}/cpu.cfs_period_us`]: '100000\n' },
      8,
    ],
    ['all, when the files make no sense', { 'proc/self/cgroup': 'noise\n0:\n', 'sys/fs/cgroup/cpu.max': 'noise' }, 8],
  ] as const) {
    it(`is ${title}`, () => {
      const root = temporaryDirectory(eachTest);
      for (const [path, text] of Object.entries(files)) {
        mkdirSync(dirname(join(root, path)), { recursive: true });
        writeFileSync(join(root, path), text);
      }
      assert.equal(usableProcessors(root, 8), expected);
    });
  }

  it('is at most that of the machine', () => {
    assert.ok(usableProcessors() >= 1 && usableProcessors() <= availableParallelism());
  });
});
