import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ClientQueue, Waiting } from '../../src/workers/queue.ts';
import { Queue } from '../../src/workers/queue.ts';
import { Random } from '../simulation/random.ts';

interface Item extends Waiting<Item> {
  readonly name: string;
}

describe('the queue', () => {
  it('keeps the order of one client', () => {
    const queue = new Queue<Item>();
    for (const name of ['a1', 'a2', 'a3']) queue.push(item(name, '192.0.2.1'));
    assert.deepEqual(drain(queue), ['a1', 'a2', 'a3']);
  });

  it('lets clients take turns', () => {
    const queue = new Queue<Item>();
    for (const name of ['a1', 'a2', 'a3', 'a4']) queue.push(item(name, '192.0.2.1'));
    queue.push(item('b1', '192.0.2.2'));
    for (const name of ['c1', 'c2']) queue.push(item(name, '192.0.2.3'));
    assert.deepEqual(drain(queue), ['a1', 'b1', 'c1', 'a2', 'c2', 'a3', 'a4']);
  });

  it('counts the addresses of one network of IPv6 as one client', () => {
    const queue = new Queue<Item>();
    queue.push(item('a1', '2001:db8::1'));
    queue.push(item('a2', '2001:db8::2'));
    queue.push(item('b1', '2001:db8:0:1::1'));
    assert.deepEqual(drain(queue), ['a1', 'b1', 'a2']);
  });

  it('serves what lanes gave back before all others, in order', () => {
    const queue = new Queue<Item>();
    queue.push(item('b1', '192.0.2.2'));
    queue.unshift([item('a3', '192.0.2.1')]);
    queue.unshift([item('a1', '192.0.2.1'), item('a2', '192.0.2.1')]);
    assert.deepEqual(drain(queue), ['a1', 'a2', 'a3', 'b1']);
  });

  it('says how many would leave first: of each other client at most as many as the own ones', () => {
    const queue = new Queue<Item>();
    for (let i = 0; i < 1000; i += 1) queue.push(item(`a${i}`, '192.0.2.1'));
    assert.equal(queue.placeOf(item('a', '192.0.2.1')), 1000);
    assert.equal(queue.placeOf(item('b', '192.0.2.2')), 1);
    queue.push(item('b1', '192.0.2.2'));
    assert.equal(queue.placeOf(item('b', '192.0.2.2')), 4);
    assert.equal(queue.placeOf(item('c', '192.0.2.3')), 2);
  });

  it('gives up what came too early, but not the share of a client', () => {
    const queue = new Queue<Item>();
    for (let i = 1; i <= 6; i += 1) queue.push(item(`a${i}`, '192.0.2.1', i));
    queue.push(item('b1', '192.0.2.2', 1));
    queue.unshift([item('c1', '192.0.2.3', 1)]);
    const names = (kept: number, beforeMs: number) => queue.takeOlderThan(beforeMs, kept).map(({ name }) => name);
    assert.deepEqual(names(100, 5), []);
    assert.deepEqual(names(4, 3), ['a1', 'a2'], 'older than the time');
    assert.deepEqual(names(4, 9), ['a3', 'a4'], 'the client with more than its half');
    assert.deepEqual(drain(queue), ['c1', 'a5', 'b1', 'a6']);
  });

  it('gives up the newest requests of a client', () => {
    const queue = new Queue<Item>();
    const items = ['a1', 'a2', 'a3', 'a4'].map((name) => item(name, '192.0.2.1'));
    for (const each of [...items, item('b1', '192.0.2.2')]) queue.push(each);
    const client = queue.clientOf(items[0] as Item);
    assert.ok(client !== undefined);
    assert.deepEqual(
      queue.takeNewest(client, 2).map(({ name }) => name),
      ['a4', 'a3'],
    );
    assert.deepEqual(queue.takeNewest(client, 2), []);
    assert.deepEqual(drain(queue), ['a1', 'b1', 'a2']);
  });

  it('loses and repeats nothing, whatever is pushed, given back and removed', () => {
    const random = new Random(2);
    const queue = new Queue<Item>();
    const waiting = new Set<Item>();
    for (let round = 0; round < 20_000; round += 1) {
      const next = item(`${round}`, `192.0.2.${random.integer(1, 9)}`);
      const [some] = [...waiting].slice(random.integer(0, Math.max(0, waiting.size - 1)));
      if (random.chance(0.4)) {
        if (random.chance(0.8)) queue.push(next);
        else queue.unshift([next]);
        waiting.add(next);
      } else if (random.chance(0.3) && some !== undefined) {
        assert.equal(queue.remove(some), waiting.delete(some));
        assert.equal(queue.remove(some), false);
      } else {
        const shifted = queue.shift();
        assert.equal(shifted === null, waiting.size === 0);
        if (shifted !== null) assert.equal(waiting.delete(shifted), true);
      }
      assert.equal(queue.length, waiting.size);
    }
    assert.deepEqual(new Set(queue.clear()), waiting);
    assert.equal(queue.length, 0);
  });
});

function item(name: string, remoteAddress: string, queuedAtMs = 0): Item {
  const peer = { remoteAddress, remotePort: 1, listener: 0, secure: false, serverPort: '' };
  return { name, request: { peer }, queue: null as ClientQueue<Item> | null, queuedAtMs, previous: null, next: null };
}

function drain(queue: Queue<Item>): string[] {
  return queue.clear().map(({ name }) => name);
}
