import { equal } from 'node:assert/strict';
import { type BigIntStats, statSync } from 'node:fs';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { StaticFile } from '../../src/static/static-file.ts';

const REAL = statSync(fileURLToPath(import.meta.url), { bigint: true });
const HOUR_NS = 3_600_000_000_000n;
const NOW_NS = BigInt(Date.now()) * 1_000_000n;

/** The status of a file with these modification and change times. */
function status(mtimeNs: bigint, more: Partial<BigIntStats> = {}, ctimeNs = mtimeNs): BigIntStats {
  const times = { mtimeNs, ctimeNs, mtimeMs: mtimeNs / 1_000_000n, ctimeMs: ctimeNs / 1_000_000n };
  return Object.assign(Object.create(REAL), { size: 1n }, times, more);
}

describe('a version of a static file', () => {
  const old = status(NOW_NS - HOUR_NS);
  const file = (read: BigIntStats) => new StaticFile('/a.txt', read, Buffer.from('x'), null);

  it('is current while nothing of its status changes', () => {
    equal(file(old).isCurrent(status(NOW_NS - HOUR_NS)), true);
  });

  it('is not current when the length, the inode or a time differs, even by a nanosecond', () => {
    const read = file(old);
    equal(read.isCurrent(status(old.mtimeNs, { size: 2n })), false);
    equal(read.isCurrent(status(old.mtimeNs, { ino: old.ino + 1n })), false);
    equal(read.isCurrent(status(old.mtimeNs, { dev: old.dev + 1n })), false);
    equal(read.isCurrent(status(old.mtimeNs + 1n, {}, old.ctimeNs)), false);
    equal(read.isCurrent(status(old.mtimeNs, {}, old.ctimeNs + 1n)), false);
  });

  it('is never current when it was read right after a change, because another change within the same tick would be invisible', () => {
    const fresh = status(NOW_NS);
    equal(file(fresh).isCurrent(fresh), false);
    const changed = status(NOW_NS - HOUR_NS, {}, NOW_NS);
    equal(file(changed).isCurrent(changed), false);
  });
});
