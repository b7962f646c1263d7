import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type StoredBytes, TraceMemory } from '../../src/trace/trace-memory.ts';

/** Stores `length` bytes of this value. */
function store(memory: TraceMemory, length: number, value: number): StoredBytes {
  return memory.store(length, ({ bytes }, start) => {
    bytes.fill(value, start, start + length);
    return length;
  });
}

function valuesOf({ block, start, length }: StoredBytes): Set<number> {
  return new Set(block.bytes.subarray(start, start + length));
}

describe('TraceMemory', () => {
  it('keeps records of any length apart until they are freed, at starts that numbers can have', () => {
    const memory = new TraceMemory();
    const kept: { readonly stored: StoredBytes; readonly value: number; readonly length: number }[] = [];
    for (let i = 0; i < 2000; i += 1) {
      const length = 1 + ((i * 7919) % 20_000);
      kept.push({ stored: store(memory, length, i % 251), value: i % 251, length });
      if (i % 3 > 0) memory.free((kept.shift() as (typeof kept)[number]).stored);
    }
    assert.ok(kept.length > 500);
    for (const { stored, value, length } of kept) {
      assert.deepEqual(valuesOf(stored), new Set([value]));
      assert.deepEqual([stored.length, stored.start % 8], [length, 0]);
    }
  });

  it('uses the same blocks again when records are freed in the order in which they came', () => {
    const memory = new TraceMemory();
    const blocks = new Set<unknown>();
    const kept: StoredBytes[] = [];
    for (let i = 0; i < 1000; i += 1) {
      const stored = store(memory, 4000, 1);
      blocks.add(stored.block);
      kept.push(stored);
      if (kept.length > 20) memory.free(kept.shift() as StoredBytes);
    }
    assert.ok(blocks.size <= 5, `${blocks.size} blocks`);
  });
});
