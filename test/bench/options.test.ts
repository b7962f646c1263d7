import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { ROOT } from '../support/viaduct.ts';

const load = (name: string) => import(pathToFileURL(join(ROOT, 'bench', name)).href);
const { readOptions } = await load('options.mjs');
const { choose } = await load('names.mjs');

test('reads the same options for scenarios and for curves, with their own defaults', () => {
  const read = (...argv: string[]) => {
    const { growth, only, rounds, seconds, quick } = readOptions(argv);
    return { growth, only, rounds, seconds, quick };
  };
  const common = { growth: false, only: [], rounds: 5, seconds: 3, quick: false };
  assert.deepEqual(read(), common);
  assert.deepEqual(read('growth'), { ...common, growth: true, rounds: 3, seconds: 1 });
  assert.deepEqual(read('growth', '--quick'), { ...common, growth: true, rounds: 1, seconds: 1, quick: true });
  assert.deepEqual(read('growth', '--only', 'idle,blocks', '--rounds', '7', '--seconds', '2'), {
    growth: true,
    only: ['idle', 'blocks'],
    rounds: 7,
    seconds: 2,
    quick: false,
  });
});

test('refuses what it cannot do, and says why', () => {
  assert.throws(() => readOptions(['growth', '--rounds', '0']), /Cannot use --rounds "0": it is a whole number/);
  assert.throws(() => readOptions(['growth', '--before', '../x']), /Cannot use --before with growth/);
  assert.throws(() => readOptions(['grow']), /Unexpected argument 'grow'/);
});

test('chooses by name or by the first part of names, and lists the names when there is none', () => {
  const all = ['idle', 'blocks-10k', 'blocks-100'].map((id) => ({ id }));
  const ids = (names: string[]) => choose(all, names, 'curve').map(({ id }: { id: string }) => id);
  assert.deepEqual(ids([]), ['idle', 'blocks-10k', 'blocks-100']);
  assert.deepEqual(ids(['blocks']), ['blocks-10k', 'blocks-100']);
  assert.deepEqual(ids(['idle', 'blocks-100']), ['idle', 'blocks-100']);
  assert.throws(() => ids(['block']), /^Error: Cannot find curve "block"\. There are: idle, blocks-10k, blocks-100$/);
});
