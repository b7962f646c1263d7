import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Priority } from '../../src/http/message.ts';
import { Queue } from '../../src/workers/queue.ts';
import type { ClientQueue, Waiting } from '../../src/workers/turns.ts';
import { Random } from '../simulation/random.ts';

interface Item extends Waiting<Item> {
  readonly name: string;
}

describe('a queue with priorities', () => {
  const queueOf = (counts: Partial<Record<Priority, number>>): Queue<Item> => {
    const queue = new Queue<Item>();
    for (const [priority, count] of Object.entries(counts) as [Priority, number][])
      for (let i = 1; i <= count; i += 1) queue.push(item(`${priority[0]}${i}`, `192.0.2.${i % 3}`, i, priority));
    return queue;
  };

  it('serves a higher priority first, and clients in turn within each', () => {
    const queue = new Queue<Item>();
    queue.push(item('l1', '192.0.2.1', 0, 'low'));
    queue.push(item('n1', '192.0.2.1'));
    for (const name of ['h1', 'h2']) queue.push(item(name, '192.0.2.1', 0, 'high'));
    queue.push(item('h3', '192.0.2.2', 0, 'high'));
    queue.unshift([item('r1', '192.0.2.9', 0, 'low')]);
    assert.deepEqual(drain(queue), ['r1', 'h1', 'h3', 'h2', 'n1', 'l1']);
  });

  it('gives one of eight to a lower one, so that none waits for ever', () => {
    const order = drain(queueOf({ high: 200, normal: 200, low: 4 })).map(([priority]) => priority);
    assert.equal(order.slice(0, 16).join(''), 'hhhhhhhnhhhhhhhn');
    assert.equal(order.slice(0, 64).filter((priority) => priority === 'h').length, 56);
    assert.equal(order.indexOf('l'), 63, 'one of eight of those that are left to lower ones');
    assert.equal(drain(queueOf({ high: 20 })).length, 20);
  });

  it('starts to count when a lower one comes', () => {
    const queue = queueOf({ high: 100 });
    for (let i = 0; i < 50; i += 1) queue.shift();
    queue.push(item('n', '192.0.2.9'));
    assert.equal(drain(queue).indexOf('n'), 7);
  });

  it('says how many would leave first', () => {
    const queue = queueOf({ high: 30, normal: 300, low: 3 });
    const placeOf = (priority: Priority, address: string) => queue.placeOf(item('', address, 0, priority));
    assert.equal(placeOf('high', '192.0.2.9'), 3 + 1, 'one of each other client, and the share of lower ones');
    assert.equal(placeOf('high', '192.0.2.1'), 30 + 5);
    assert.equal(placeOf('normal', '192.0.2.9'), 3 + 1 + 30);
    assert.equal(placeOf('low', '192.0.2.1'), 3 + 28 + 30, 'seven before each');
  });

  it('is never later than it said, whatever waits', () => {
    const random = new Random(3);
    for (let round = 0; round < 300; round += 1) {
      const queue = new Queue<Item>();
      const priorities = ['high', 'normal', 'low'] as const;
      for (let i = random.integer(0, 60); i > 0; i -= 1)
        queue.push(item('', `192.0.2.${random.integer(1, 4)}`, 0, priorities[random.integer(0, 2)]));
      for (let i = random.integer(0, 9); i > 0; i -= 1) queue.shift();
      const mine = item('mine', `192.0.2.${random.integer(1, 5)}`, 0, priorities[random.integer(0, 2)]);
      const place = queue.placeOf(mine);
      queue.push(mine);
      const waited = drain(queue).indexOf('mine');
      assert.ok(waited <= place, `round ${round}: ${waited} left before it, at most ${place} were said`);
    }
  });

  it('gives up a request of the lowest priority for one of a higher one, of a client with many', () => {
    const queue = queueOf({ high: 1, low: 1 });
    for (const name of ['n1', 'n2']) queue.push(item(name, '192.0.2.7'));
    queue.push(item('n3', '192.0.2.8'));
    const takeBelow = (priority: Priority) => queue.takeBelow(item('', '192.0.2.1', 0, priority))?.name;
    assert.deepEqual([takeBelow('low'), takeBelow('normal'), takeBelow('normal')], [undefined, 'l1', undefined]);
    assert.deepEqual([takeBelow('high'), queue.length], ['n2', 3]);
  });

  it('gives up what came too early of the lowest priority first', () => {
    const queue = queueOf({ high: 6, low: 6 });
    const names = queue.takeOlderThan(9, 6).map(({ name }) => name);
    assert.equal(names.filter((name) => name.startsWith('l')).length, names.length, names.join(' '));
  });
});

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
      const priority = (['high', 'low', undefined] as const)[random.integer(0, 2)];
      const next = item(`${round}`, `192.0.2.${random.integer(1, 9)}`, 0, priority);
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

function item(name: string, remoteAddress: string, queuedAtMs = 0, priority?: Priority): Item {
  const peer = { remoteAddress, remotePort: 1, listener: 0, secure: false, serverPort: '' };
  const request = { peer, priority };
  return { name, request, queue: null as ClientQueue<Item> | null, queuedAtMs, previous: null, next: null };
}

function drain(queue: Queue<Item>): string[] {
  return queue.clear().map(({ name }) => name);
}
