import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { drawLimits } from '../../src/workers/worker-limits.ts';

const NONE = { maxRequests: 0, maxRequestsJitter: 0, maxLifetimeMs: 0, maxRssBytes: 0 };
/** The lowest and the highest result of Math.random. */
const LOWEST = (): number => 0;
const HIGHEST = (): number => 1 - 2 ** -53;

describe('the limits of a worker', () => {
  it('are infinite without settings', () => {
    const infinite = { requestsMax: Number.POSITIVE_INFINITY, lifetimeMs: Number.POSITIVE_INFINITY };
    assert.deepEqual(drawLimits(NONE), infinite);
    assert.deepEqual(drawLimits({ ...NONE, maxRequestsJitter: 50 }), infinite);
  });

  it('add 0 to max_requests_jitter requests to max_requests', () => {
    const limits = { ...NONE, maxRequests: 1000, maxRequestsJitter: 50 };
    assert.equal(drawLimits(limits, LOWEST).requestsMax, 1000);
    assert.equal(drawLimits(limits, HIGHEST).requestsMax, 1050);
    assert.equal(drawLimits({ ...NONE, maxRequests: 1000 }, HIGHEST).requestsMax, 1000);
  });

  it('make a life up to a tenth shorter or longer', () => {
    const limits = { ...NONE, maxLifetimeMs: 60_000 };
    assert.equal(drawLimits(limits, LOWEST).lifetimeMs, 54_000);
    assert.ok(Math.abs(drawLimits(limits, HIGHEST).lifetimeMs - 66_000) < 1);
  });

  it('differ from worker to worker', () => {
    const limits = { ...NONE, maxRequests: 1, maxRequestsJitter: 1_000_000, maxLifetimeMs: 1_000_000 };
    const drawn = Array.from({ length: 20 }, () => drawLimits(limits));
    assert.ok(new Set(drawn.map(({ requestsMax }) => requestsMax)).size > 10);
    assert.ok(new Set(drawn.map(({ lifetimeMs }) => lifetimeMs)).size > 10);
  });
});
