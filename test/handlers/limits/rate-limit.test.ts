import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type RateLimitOptions, rateLimit } from '../../../src/handlers/limits/rate-limit.ts';
import { TokenBuckets } from '../../../src/handlers/limits/token-buckets.ts';
import type { Request } from '../../../src/http/message.ts';
import { Response } from '../../../src/http/response.ts';
import { responseField } from '../../../src/http/response-fields.ts';
import { UpgradeResponse } from '../../../src/http/upgrade-response.ts';
import { pass, requestOf } from '../../support/handler.ts';

/** A limit of 2 requests per second and 4 at once, and its clock. */
function limiter(options: Partial<RateLimitOptions> = {}) {
  const clock = { nowMs: 5000 };
  const handler = rateLimit({ per: 'address', ratePerSecond: 2, burst: 4, now: () => clock.nowMs, ...options });
  const status = async (request: Request = requestOf()) => (await pass(handler, request)).response.status;
  const statuses = async (requests: readonly Request[]) => Promise.all(requests.map(status));
  return { clock, handler, status, statuses };
}

const from = (remoteAddress: string, headers: readonly string[] = []) =>
  requestOf({ headers, peer: { remoteAddress } });
const times = (count: number, request = requestOf()) => new Array<Request>(count).fill(request);

describe('rateLimit', () => {
  it('lets a burst pass and refuses further requests before the application', async () => {
    const { handler, statuses } = limiter();
    assert.deepEqual(await statuses(times(5)), [200, 200, 200, 200, 429]);
    const { passed } = await pass(handler, requestOf());
    assert.equal(passed, null);
  });

  it('lets requests pass at the rate in the long run', async () => {
    const { clock, statuses } = limiter();
    await statuses(times(4));
    let allowed = 0;
    for (let tenth = 0; tenth < 100; tenth += 1) {
      clock.nowMs += 100;
      const answers = await statuses(times(3));
      allowed += answers.filter((status) => status === 200).length;
    }
    assert.equal(allowed, 20);
  });

  it('never allows more than the burst, even after a long time', async () => {
    const { clock, statuses } = limiter();
    await statuses(times(5));
    clock.nowMs += 3_600_000;
    assert.deepEqual(await statuses(times(5)), [200, 200, 200, 200, 429]);
  });

  it('sends Retry-After, and lets requests pass after this time', async () => {
    const { clock, handler, status, statuses } = limiter({ ratePerSecond: 0.1, burst: 1 });
    assert.equal(await status(), 200);
    clock.nowMs += 2500;
    const { response } = await pass(handler, requestOf());
    assert.equal(responseField(response, 'retry-after'), '8');
    clock.nowMs += 7499;
    assert.deepEqual(await statuses(times(1)), [429]);
    clock.nowMs += 1;
    assert.deepEqual(await statuses(times(2)), [200, 429]);
  });

  it('never sends Retry-After: 0', async () => {
    const { handler, statuses } = limiter({ ratePerSecond: 1000, burst: 1 });
    await statuses(times(1));
    assert.equal(responseField((await pass(handler, requestOf())).response, 'retry-after'), '1');
  });

  it('sends policy and state with a refusal', async () => {
    const { handler, statuses } = limiter({ name: 'login' });
    await statuses(times(4));
    const { response } = await pass(handler, requestOf());
    assert.equal(responseField(response, 'ratelimit-policy'), '"login";q=4;w=2');
    assert.equal(responseField(response, 'ratelimit'), '"login";r=0;t=2');
  });

  it('sends policy and state with every response when configured, in addition to those of other limits', async () => {
    const { handler } = limiter({ announce: true });
    const inner = Response.fromHeaders(200, ['RateLimit', '"inner";r=9;t=1'], null);
    const { response } = await pass(handler, requestOf(), inner);
    assert.equal(responseField(response, 'ratelimit'), '"inner";r=9;t=1, "default";r=3;t=1');
    const quiet = limiter();
    assert.equal(responseField((await pass(quiet.handler, requestOf())).response, 'ratelimit'), null);
  });

  it('does not change an upgrade', async () => {
    const upgrade = new UpgradeResponse('echo', [], () => {});
    const { response } = await pass(limiter({ announce: true }).handler, requestOf(), upgrade);
    assert.equal(response, upgrade);
  });

  it('lets a request pass several limits, and counts it for none if one refuses it', async () => {
    const now = (): number => 0;
    const limit = rateLimit([
      { per: 'address', ratePerSecond: 1, burst: 2, announce: true, now },
      { per: 'route', ratePerSecond: 1, burst: 3, now },
      { per: { header: 'X-Key' }, ratePerSecond: 1, burst: 1, announce: true, now },
    ]);
    const ask = async (address: string, key: string) => (await pass(limit, from(address, ['X-Key', key]))).response;
    const first = await ask('192.0.2.1', 'a');
    assert.equal(responseField(first, 'ratelimit'), '"default";r=1;t=1, "default-3";r=0;t=1');
    const refused = await ask('192.0.2.1', 'a');
    assert.equal(refused.status, 429);
    assert.equal(responseField(refused, 'ratelimit'), '"default-3";r=0;t=1');
    assert.equal((await ask('192.0.2.1', 'b')).status, 200, 'the refused request took no token of the address');
    assert.equal((await ask('192.0.2.1', 'c')).status, 429);
    assert.equal((await ask('192.0.2.2', 'c')).status, 200, 'nor of the route or the key');
    assert.equal((await ask('192.0.2.2', 'd')).status, 429);
  });

  it('counts each address, for IPv6 each /64', async () => {
    const { statuses } = limiter({ burst: 1 });
    const same = ['2001:db8:1:2::1', '2001:db8:1:2:ffff::9', '2001:0db8:0001:0002::1', '2001:db8:1:2:1:2:3.4.5.6'];
    assert.deepEqual(await statuses(same.map((address) => from(address))), [200, 429, 429, 429]);
    const other = ['2001:db8:1:3::1', '2001:db8:1::2', '::1', '192.0.2.1', '192.0.2.2', ''];
    assert.deepEqual(await statuses(other.map((address) => from(address))), [200, 200, 200, 200, 200, 200]);
  });

  it('counts each value of a text with placeholders', async () => {
    const limit = rateLimit({ per: { text: '{cookie.id}' }, ratePerSecond: 1, burst: 1, now: () => 0 });
    const statusOf = async (address: string, cookie: string) =>
      (await pass(limit, from(address, cookie === '' ? [] : ['Cookie', `id=${cookie}`]))).response.status;
    assert.equal(await statusOf('192.0.2.1', 'a'), 200);
    assert.equal(await statusOf('192.0.2.2', 'a'), 429);
    assert.equal(await statusOf('192.0.2.2', 'b'), 200);
    assert.equal(await statusOf('192.0.2.3', ''), 200);
    assert.equal(await statusOf('192.0.2.3', ''), 429);
    for (const per of [{}, { header: 'A', text: 'b' }, { text: '{cookie}' }])
      assert.throws(() => rateLimit({ per, ratePerSecond: 1, burst: 1 }), { code: 'SETTINGS' });
  });

  it('counts each value of a field, and requests without the field by address', async () => {
    const { statuses } = limiter({ burst: 1, per: { header: 'X-Api-Key' } });
    const long = 'k'.repeat(9000);
    const requests = [
      from('192.0.2.1', ['X-Api-Key', 'a']),
      from('192.0.2.2', ['x-api-key', 'a']),
      from('192.0.2.1', ['X-Api-Key', `${long}1`]),
      from('192.0.2.1', ['X-Api-Key', `${long}2`]),
      from('192.0.2.1'),
      from('192.0.2.1'),
      from('192.0.2.2'),
      from('192.0.2.3', ['X-Api-Key', '192.0.2.4']),
      from('192.0.2.4'),
    ];
    assert.deepEqual(await statuses(requests), [200, 429, 200, 200, 200, 429, 200, 200, 200]);
  });

  it('counts all requests together per route', async () => {
    const { statuses } = limiter({ burst: 2, per: 'route' });
    assert.deepEqual(await statuses([from('192.0.2.1'), from('192.0.2.2'), from('192.0.2.3')]), [200, 200, 429]);
  });
});

describe('TokenBuckets', () => {
  it('remembers the newest keys up to its limit in a flood of 100,000', () => {
    const buckets = new TokenBuckets({ ratePerSecond: 0.001, keysMax: 10_000 });
    let most = 0;
    for (let i = 0; i < 100_000; i += 1) {
      assert.equal(buckets.take(`key ${i}`, i / 1000, 1).allowed, true);
      most = Math.max(most, buckets.size);
    }
    assert.ok(most <= 10_000, `${most} keys`);
    for (let i = 95_001; i < 100_000; i += 1) assert.equal(buckets.take(`key ${i}`, 100, 1).allowed, false);
  });

  it('does not forget a client that continues during a flood', () => {
    const buckets = new TokenBuckets({ ratePerSecond: 0.001, keysMax: 1000 });
    assert.equal(buckets.take('busy', 0, 1).allowed, true);
    for (let i = 0; i < 100_000; i += 1) {
      buckets.take(`key ${i}`, 0, 1);
      if (i % 400 === 0) assert.equal(buckets.take('busy', 0, 1).allowed, false);
    }
  });

  it('forgets full buckets when the next request comes', () => {
    const buckets = new TokenBuckets({ ratePerSecond: 1, keysMax: 100_000 });
    for (let i = 0; i < 1000; i += 1) buckets.take(`key ${i}`, 0, 5);
    buckets.take('one', 11_000, 5);
    assert.equal(buckets.size, 1);
  });

  it('forgets no bucket that is not full', () => {
    const buckets = new TokenBuckets({ ratePerSecond: 1, keysMax: 100_000 });
    for (let i = 0; i < 10; i += 1) assert.equal(buckets.take('one', 9000, 10).allowed, true);
    for (let ms = 9100; ms < 19_000; ms += 100) buckets.take('other', ms, 10);
    assert.equal(buckets.take('one', 18_900, 10).left, 8);
  });

  it('forgets no bucket that is not full, if bursts of different length count in it', () => {
    const buckets = new TokenBuckets({ ratePerSecond: 1, keysMax: 100_000 });
    for (let i = 0; i < 10; i += 1) assert.equal(buckets.take('one', 9000, 10).allowed, true);
    for (let ms = 9100; ms < 13_000; ms += 100) buckets.take('other', ms, 1);
    assert.equal(buckets.take('one', 13_000, 1).allowed, false);
    assert.equal(buckets.take('one', 13_000, 10).left, 3);
  });
});
