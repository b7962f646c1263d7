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
  readonly client: Upstream['client'] & { active: number };
}

/** A backend with `active` requests in progress. */
function upstream(host: string, weight = 1, active = 0): Fake {
  const client = {
    active,
    needsLength: false,
    mayRefuse: false,
    send: () => assert.fail('nothing is sent'),
    requests: () => [],
    stop() {},
    destroy() {},
  };
  return { backend: { host, port: 80, weight }, client, weight };
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
  it('chooses the backends in turn', () => {
    const all = ['a', 'b', 'c'].map((name) => upstream(name));
    assert.equal(names(picks(roundRobin(), all, 6)), 'abcabc');
  });

  it('chooses each backend as often as its weight demands, evenly mixed', () => {
    const all = [upstream('a', 5), upstream('b'), upstream('c')];
    assert.equal(names(picks(roundRobin(), all, 14)), 'aabacaaaabacaa');
  });

  it('continues with the remaining backends when one is missing', () => {
    const all = ['a', 'b', 'c'].map((name) => upstream(name));
    const balancer = roundRobin();
    picks(balancer, all, 1);
    assert.deepEqual(counts(picks(balancer, all.slice(1), 10)), { b: 5, c: 5 });
  });
});

describe('least connections', () => {
  it('chooses the backend with the fewest requests for its weight', () => {
    assert.equal(
      names(picks(leastConnections(), [upstream('a', 1, 3), upstream('b', 1, 2), upstream('c', 1, 4)], 2)),
      'bb',
    );
    assert.equal(
      names(picks(leastConnections(), [upstream('a', 1, 3), upstream('b', 1, 2), upstream('c', 4, 4)], 2)),
      'cc',
    );
  });

  it('alternates between backends with equally few requests', () => {
    const all = [upstream('a', 1, 1), upstream('b'), upstream('c')];
    assert.deepEqual(counts(picks(leastConnections(), all, 30)), { b: 20, c: 10 });
  });
});

describe('two random choices', () => {
  it('chooses the less busy of two backends, and never the busiest of all', () => {
    const all = [upstream('a', 1, 9), upstream('b', 1, 1), upstream('c', 1, 0)];
    const taken = counts(picks(randomTwo(createRandom(7)), all, 3000));
    assert.equal(taken.a, undefined);
    assert.ok((taken.c ?? 0) > 1800 && (taken.b ?? 0) > 800, JSON.stringify(taken));
  });

  it('draws backends by weight', () => {
    const all = [upstream('a', 8), upstream('b'), upstream('c')];
    const taken = counts(picks(randomTwo(createRandom(7)), all, 3000));
    assert.ok((taken.a ?? 0) > 2100, JSON.stringify(taken));
    assert.ok((taken.b ?? 0) > 100 && (taken.c ?? 0) > 100, JSON.stringify(taken));
  });

  it('chooses the only backend', () => {
    const only = upstream('a', 1, 5);
    assert.equal(randomTwo().pick(requestOf(), [only]), only);
  });
});

describe('a consistent hash', () => {
  const all = Array.from({ length: 10 }, (_, i) => upstream(`backend-${i}`));
  const keys = Array.from({ length: 10_000 }, (_, i) => `/path/${i}`);
  const assignments = (balancer: Balancer, upstreams: readonly Upstream[]) =>
    new Map(keys.map((path) => [path, balancer.pick(requestOf({ path }), upstreams)]));

  it('chooses the same backend for the same key in every proxy, with even shares', () => {
    const first = assignments(consistentHash(hashKey('path')), all);
    assert.deepEqual(first, assignments(consistentHash(hashKey('path')), [...all].reverse()));
    for (const [name, count] of Object.entries(counts([...first.values()]))) {
      assert.ok(count > 700 && count < 1400, `${name} has ${count} of 10,000`);
    }
  });

  it('moves only the keys of a backend that failed or left', () => {
    const before = assignments(consistentHash(hashKey('path')), all);
    const [gone, ...others] = all;
    const balancer = consistentHash(hashKey('path'));
    assignments(balancer, all);
    for (const after of [assignments(balancer, others), assignments(consistentHash(hashKey('path')), others)]) {
      for (const [path, backend] of before) {
        if (backend === gone) assert.notEqual(after.get(path), gone);
        else assert.equal(after.get(path), backend, path);
      }
    }
  });

  it('gives a heavier backend more keys', () => {
    const two = [upstream('light'), upstream('heavy', 3)];
    const { light = 0, heavy = 0 } = counts([...assignments(consistentHash(hashKey('path')), two).values()]);
    assert.ok(heavy / light > 2.4 && heavy / light < 3.7, `${heavy} and ${light}`);
  });
});

describe('hashKey', () => {
  const request = requestOf({
    path: '/p',
    headers: ['X-User', 'anna', 'Cookie', 'a=1; session=s 1; b=2', 'COOKIE', 'session=2'],
  });

  it('returns the configured part of the request', () => {
    assert.equal(hashKey('path')(request), '/p');
    assert.equal(hashKey('address')(request), '192.0.2.1');
    assert.equal(hashKey('header:x-user')(request), 'anna');
    assert.equal(hashKey('cookie:session')(request), 's 1');
  });

  it('returns the address when the request has no such field or cookie', () => {
    assert.equal(hashKey('header:x-other')(request), '192.0.2.1');
    assert.equal(hashKey('cookie:sess')(request), '192.0.2.1');
    assert.equal(hashKey('cookie:a')(requestOf()), '192.0.2.1');
  });
});
