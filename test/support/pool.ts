import assert from 'node:assert/strict';
import type { PoolOptions } from '../../src/workers/pool-options.ts';

/** Options of a pool in which no body needs a file and nothing fails, with `changes`. */
export function poolOptions(changes: Partial<PoolOptions> = {}): PoolOptions {
  return {
    queueMax: 10,
    queueDelayMs: 0,
    queueWaitMaxMs: 0,
    requestId: false,
    queueTime: false,
    requestTimeoutMs: 0,
    streamTimeoutMs: 0,
    requestGraceMs: 0,
    laneDepthMax: 10,
    retryIdempotent: false,
    bodyMemoryBytesMax: 1_000_000,
    directory: () => assert.fail('a small body needs no file'),
    onError: (message) => assert.fail(message),
    onWorkerDied() {},
    onOverload() {},
    onOverloadEnd() {},
    ...changes,
  };
}
