import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Response } from '../../src/http/response.ts';
import { settleStarted } from '../../src/workers/dead-lane.ts';
import type { PendingRequest } from '../../src/workers/pending-request.ts';

describe('the requests of a dead lane', () => {
  /** A request of a lane, whose end is written to `ends`. */
  function pending(ends: string[], id: number, method: string, fields: Partial<PendingRequest> = {}): PendingRequest {
    const request = {
      id,
      request: { method },
      settled: false,
      stream: null,
      retried: false,
      refuse: ({ status }: Response, reason: string) => void ends.push(`${id}: ${status} ${reason}`),
      breakOff: (reason: string) => void ends.push(`${id}: breaks off, ${reason}`),
      ...fields,
    };
    return request as unknown as PendingRequest;
  }

  function settle(inflight: PendingRequest[], lastStarted: number, retryIdempotent: boolean) {
    const died: boolean[] = [];
    const options = {
      retryIdempotent,
      onWorkerDied: (_request: unknown, runsAgain: boolean) => void died.push(runsAgain),
    };
    const restarted = settleStarted({ inflight }, lastStarted, options);
    assert.equal(inflight.length, 0);
    return { restarted: restarted.map(({ id }) => id), died };
  }

  it('go to another worker unless they were started', () => {
    const ends: string[] = [];
    const lane = [pending(ends, 1, 'POST'), pending(ends, 2, 'GET'), pending(ends, 3, 'GET')];
    assert.deepEqual(settle(lane, 2, false), { restarted: [3], died: [false, false] });
    assert.deepEqual(ends, ['2: 502 worker died', '1: 502 worker died']);
  });

  it('all go to another worker when none was started', () => {
    const lane = [pending([], 1, 'POST'), pending([], 2, 'GET')];
    assert.deepEqual(settle(lane, 0, false), { restarted: [1, 2], died: [] });
  });

  it('start once more, in their order, where that is allowed and their method is idempotent', () => {
    const ends: string[] = [];
    const again = pending(ends, 2, 'GET');
    const lane = [pending(ends, 1, 'PUT'), again, pending(ends, 3, 'POST'), pending(ends, 4, 'POST')];
    assert.deepEqual(settle(lane, 3, true), { restarted: [1, 2, 4], died: [false, true, true] });
    assert.deepEqual(ends, ['3: 502 worker died']);
    assert.deepEqual(settle([again], 2, true), { restarted: [], died: [false] });
    assert.deepEqual(ends, ['3: 502 worker died', '2: 502 worker died']);
  });

  it('break off when their response has started, and are not reported when it was complete', () => {
    const ends: string[] = [];
    const stream = {} as PendingRequest['stream'];
    const lane = [pending(ends, 1, 'GET', { settled: true }), pending(ends, 2, 'GET', { settled: true, stream })];
    assert.deepEqual(settle(lane, 2, true), { restarted: [], died: [false] });
    assert.deepEqual(ends, ['2: breaks off, worker died', '1: breaks off, worker died']);
  });
});
