import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Balancer } from '../../src/proxy/balancer.ts';
import { consistentHash } from '../../src/proxy/balancers/consistent-hash.ts';
import { leastConnections } from '../../src/proxy/balancers/least-connections.ts';
import { randomTwo } from '../../src/proxy/balancers/random-two.ts';
import { roundRobin } from '../../src/proxy/balancers/round-robin.ts';
import { hashKey } from '../../src/proxy/hash-key.ts';
import type { Upstream } from '../../src/proxy/upstream.ts';
import { requestOf } from '../support/handler.ts';
import { createRandom } from '../support/random.ts';

interface Fake extends Upstream {
  readonly protocol: Upstream['protocol'] & { active: number };
}

/** A backend that is busy as the test says. */
function upstream(host: string, weight = 1, active = 0): Fake {
  const protocol = { active, needsLength: false, send: () => assert.fail('nothing is sent'), stop() {}, destroy() {} };
  return { backend: { host, port: 80, weight }, protocol, weight };
}

const names = (upstreams: readonly Upstream[]) => upstreams.map(({ backend }) => backend.host).join('');

function picks(balancer: Balancer, upstreams: readonly Upstream[], count: number): Upstream[] {
  return Array.from({ length: count }, () => balancer.pick(requestOf(), upstreams));
}

function counts(chosen: readonly Upstream[]): Record<string, number> {
  const count: Record<string, number> = {};
  for (const { backend } of chosen) count[backend.host] = (count[backend.host] ?? 0) + 1;
  return count;
}

describe('round robin', () => {
  it('takes one after the other', () => {
    const all = ['a', 'b', 'c'].map((name) => upstream(name));
    assert.equal(names(picks(roundRobin(), all, 6)), 'abcabc');
  });

  it('takes each as often as its weight says, evenly mixed', () => {
    const all = [upstream('a', 5), upstream('b'), upstream('c')];
    assert.equal(names(picks(roundRobin(), all, 14)), 'aabacaaaabacaa');
  });

  it('goes on among those that are left', () => {
    const all = ['a', 'b', 'c'].map((name) => upstream(name));
    const balancer = roundRobin();
    picks(balancer, all, 1);
    assert.deepEqual(counts(picks(balancer, all.slice(1), 10)), { b: 5, c: 5 });
  });
});

describe('least connections', () => {
  it('takes the one with the fewest requests, for its weight', () => {
    assert.equal(
      names(picks(leastConnections(), [upstream('a', 1, 3), upstream('b', 1, 2), upstream('c', 1, 4)], 2)),
      'bb',
    );
    assert.equal(
      names(picks(leastConnections(), [upstream('a', 1, 3), upstream('b', 1, 2), upstream('c', 4, 4)], 2)),
      'cc',
    );
  });

  it('takes turns among those that have as few', () => {
    const all = [upstream('a', 1, 1), upstream('b'), upstream('c')];
    assert.deepEqual(counts(picks(leastConnections(), all, 30)), { b: 20, c: 10 });
  });
});

describe('two random choices', () => {
  it('takes the less busy of two, and never the busiest of all', () => {
    const all = [upstream('a', 1, 9), upstream('b', 1, 1), upstream('c', 1, 0)];
    const taken = counts(picks(randomTwo(createRandom(7)), all, 3000));
    assert.equal(taken.a, undefined);
    assert.ok((taken.c ?? 0) > 1800 && (taken.b ?? 0) > 800, JSON.stringify(taken));
  });

  it('draws by weight', () => {
    const all = [upstream('a', 8), upstream('b'), upstream('c')];
    const taken = counts(picks(randomTwo(createRandom(7)), all, 3000));
    assert.ok((taken.a ?? 0) > 2100, JSON.stringify(taken));
    assert.ok((taken.b ?? 0) > 100 && (taken.c ?? 0) > 100, JSON.stringify(taken));
  });

  it('takes the only one', () => {
    const only = upstream('a', 1, 5);
    assert.equal(randomTwo().pick(requestOf(), [only]), only);
  });
});

describe('a consistent hash', () => {
  const all = Array.from({ length: 10 }, (_, i) => upstream(`backend-${i}`));
  const keys = Array.from({ length: 10_000 }, (_, i) => `/path/${i}`);
  const place = (balancer: Balancer, among: readonly Upstream[]) =>
    new Map(keys.map((path) => [path, balancer.pick(requestOf({ path }), among)]));

  it('takes the same backend for the same key, also another proxy, and each gets its share', () => {
    const first = place(consistentHash(hashKey('path')), all);
    assert.deepEqual(first, place(consistentHash(hashKey('path')), [...all].reverse()));
    for (const [name, count] of Object.entries(counts([...first.values()]))) {
      assert.ok(count > 700 && count < 1400, `${name} has ${count} of 10,000`);
    }
  });

  it('moves only the keys of one that goes, whether it failed or left', () => {
    const before = place(consistentHash(hashKey('path')), all);
    const [gone, ...others] = all;
    const balancer = consistentHash(hashKey('path'));
    place(balancer, all);
    for (const after of [place(balancer, others), place(consistentHash(hashKey('path')), others)]) {
      for (const [path, backend] of before) {
        if (backend === gone) assert.notEqual(after.get(path), gone);
        else assert.equal(after.get(path), backend, path);
      }
    }
  });

  it('gives a heavier one more keys', () => {
    const two = [upstream('light'), upstream('heavy', 3)];
    const { light = 0, heavy = 0 } = counts([...place(consistentHash(hashKey('path')), two).values()]);
    assert.ok(heavy / light > 2.4 && heavy / light < 3.7, `${heavy} and ${light}`);
  });
});

describe('what a request is hashed by', () => {
  const request = requestOf({
    path: '/p',
    headers: ['X-User', 'anna', 'Cookie', 'a=1; session=s 1; b=2', 'COOKIE', 'session=2'],
  });

  it('is what it was told to be', () => {
    assert.equal(hashKey('path')(request), '/p');
    assert.equal(hashKey('address')(request), '192.0.2.1');
    assert.equal(hashKey('header:x-user')(request), 'anna');
    assert.equal(hashKey('cookie:session')(request), 's 1');
  });

  it('is the address for a request that has no such field or cookie', () => {
    assert.equal(hashKey('header:x-other')(request), '192.0.2.1');
    assert.equal(hashKey('cookie:sess')(request), '192.0.2.1');
    assert.equal(hashKey('cookie:a')(requestOf()), '192.0.2.1');
  });
});
