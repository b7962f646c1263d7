import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Bucketed, Buckets } from '../../src/workers/buckets.ts';
import { Random } from '../simulation/random.ts';

interface Item extends Bucketed {
  readonly name: string;
}

const BUCKETS = 100;

describe('Buckets', () => {
  it('find the lowest and the highest item as a search through all would, after random moves', () => {
    const random = new Random(1);
    const items: Item[] = Array.from({ length: 40 }, (_, index) => ({ name: `${index}`, bucket: -1, slot: 0 }));
    const buckets = new Buckets<Item>();
    const places = new Map<Item, number>();
    for (let round = 0; round < 20_000; round += 1) {
      const item = random.pick(items);
      const bucket = random.integer(-1, BUCKETS - 1);
      buckets.move(item, bucket);
      places.set(item, bucket);
      const from = random.integer(0, BUCKETS - 1);
      const to = random.integer(0, BUCKETS + 40);
      const filled = [...places.values()].filter((place) => place >= from).sort((a, b) => a - b);
      assert.equal(placeOf(buckets.lowest(from)), filled[0] ?? -1);
      assert.equal(placeOf(buckets.highest(from, to)), filled.findLast((place) => place <= to) ?? -1);
    }

    function placeOf(item: Item | null): number {
      return item === null ? -1 : (places.get(item) as number);
    }
  });

  it('give the item that came last', () => {
    const buckets = new Buckets<Item>();
    const [first, second] = ['first', 'second'].map((name) => ({ name, bucket: -1, slot: 0 })) as [Item, Item];
    buckets.move(first, 3);
    buckets.move(second, 3);
    assert.equal(buckets.lowest(0)?.name, 'second');
    buckets.move(second, -1);
    assert.equal(buckets.highest(0, 9)?.name, 'first');
  });
});
