import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { tomlLines } from '../../src/config/toml.ts';

/** Documents, and the lines of their keys. */
const DOCUMENTS: readonly {
  readonly feature: string;
  readonly lines: readonly string[];
  readonly keys: readonly (readonly [line: number, ...keys: string[]])[];
}[] = [
  {
    feature: 'plain keys',
    lines: ['a = 1', 'b = 2'],
    keys: [
      [1, 'a'],
      [2, 'b'],
    ],
  },
  {
    feature: 'comments and empty lines',
    lines: ['# a = 0', '', '  a = 1 # b', '', 'b = 2'],
    keys: [
      [3, 'a'],
      [5, 'b'],
    ],
  },
  {
    feature: 'tables',
    lines: ['a = 1', '[t]', 'a = 2', '[ t . "u v" ]', 'a = 3'],
    keys: [
      [1, 'a'],
      [2, 't'],
      [3, 't', 'a'],
      [4, 't', 'u v'],
      [5, 't', 'u v', 'a'],
    ],
  },
  {
    feature: 'arrays of tables',
    lines: [
      '[[t]]',
      'a = 1',
      '[[t]]',
      '',
      'a = 2',
      '[t.u]',
      'b = 3',
      '[[t.v]]',
      'c = 4',
      '[[t.v]]',
      'c = 5',
      '[[t]]',
      '[[t.v]]',
      'c = 6',
    ],
    keys: [
      [1, 't'],
      [1, 't', '0'],
      [2, 't', '0', 'a'],
      [3, 't', '1'],
      [5, 't', '1', 'a'],
      [6, 't', '1', 'u'],
      [7, 't', '1', 'u', 'b'],
      [9, 't', '1', 'v', '0', 'c'],
      [11, 't', '1', 'v', '1', 'c'],
      [12, 't', '2'],
      [14, 't', '2', 'v', '0', 'c'],
      [3, 't', '1', 'absent'],
    ],
  },
  {
    feature: 'dotted keys',
    lines: ['a.b = 1', 'a.c = 2'],
    keys: [
      [1, 'a'],
      [1, 'a', 'b'],
      [2, 'a', 'c'],
    ],
  },
  {
    feature: 'quoted keys',
    lines: ['"a.b" = 1', "'c#d' = 2", '"\\u0065" = 3'],
    keys: [
      [1, 'a.b'],
      [2, 'c#d'],
      [3, 'e'],
    ],
  },
  {
    feature: 'arrays over several lines',
    lines: ['a = [', '  1, # [', '  2,', ']', 'b = [[1], [2]]', 'c = 3'],
    keys: [
      [1, 'a'],
      [5, 'b'],
      [6, 'c'],
    ],
  },
  {
    feature: 'text over several lines that looks like keys',
    lines: ['a = """', 'c = 9', '[t]', '"""', "b = '''", 'c = 8', "'''", 'c = 1', '[t]', 'd = 2'],
    keys: [
      [1, 'a'],
      [5, 'b'],
      [8, 'c'],
      [9, 't'],
      [10, 't', 'd'],
    ],
  },
  {
    feature: 'inline tables',
    lines: ['a = 1', 'b = { c = 1, d = 2 }'],
    keys: [
      [2, 'b'],
      [2, 'b', 'c'],
      [2, 'b', 'd'],
    ],
  },
  {
    feature: 'arrays of tables',
    lines: ['[[x]]', 'a = 1', '[[x]]', 'a = 2', '[y]', 'b = 3'],
    keys: [
      [1, 'x'],
      [6, 'y', 'b'],
    ],
  },
  {
    feature: 'absent keys',
    lines: ['', '[t]', 'a = 1'],
    keys: [
      [2, 't', 'z'],
      [1, 'z'],
    ],
  },
];

describe('the lines of a TOML document', () => {
  for (const { feature, lines, keys } of DOCUMENTS) {
    for (const end of ['\n', '\r\n']) {
      it(`are found with ${feature} and line endings ${JSON.stringify(end)}`, () => {
        const lineOf = tomlLines(lines.join(end));
        for (const [line, ...path] of keys) assert.equal(lineOf(path), line, path.join('.'));
      });
    }
  }
});
