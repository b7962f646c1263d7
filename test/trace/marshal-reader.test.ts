import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Malformed, readMarshal } from '../../src/trace/marshal-reader.ts';
import { marshalled } from '../support/payload.ts';
import { chooseSeed, createRandom } from '../support/random.ts';

const SAMPLE =
  '{"none": None, "yes": True, "no": False, "small": -5, "ns": 1_234_567_890_123_456, "negative": -(2**40), ' +
  '"half": 0.5, "text": "caf\\xe9 \\u20ac \\U0001f600", "long": "x" * 300, "list": [1, [2, []]], "tuple": ("a", ("a",)), ' +
  '"dict": {"a": {}}}';

const DECODED = new Map<string, unknown>([
  ['none', null],
  ['yes', true],
  ['no', false],
  ['small', -5],
  ['ns', 1_234_567_890_123_456],
  ['negative', -(2 ** 40)],
  ['half', 0.5],
  ['text', 'café € 😀'],
  ['long', 'x'.repeat(300)],
  ['list', [1, [2, []]]],
  ['tuple', ['a', ['a']]],
  ['dict', new Map([['a', new Map()]])],
]);

function reasonOf(bytes: Uint8Array): string {
  const result = readMarshal(bytes);
  return result instanceof Malformed ? result.reason : 'it was read';
}

const text = (type: string): number => type.charCodeAt(0);
const list = (count: number): number[] => [text('['), ...new Uint8Array(Uint32Array.of(count).buffer)];

describe('readMarshal', () => {
  for (const version of [2, 3, 4]) {
    it(`reads what Python writes in version ${version}`, () => {
      assert.deepEqual(readMarshal(marshalled(SAMPLE, version)), DECODED);
    });
  }

  it('reads values that are referred to', () => {
    assert.deepEqual(readMarshal(marshalled('(lambda a: [a, a, {"k": a}])(("name", [1]))')), [
      ['name', [1]],
      ['name', [1]],
      new Map([['k', ['name', [1]]]]),
    ]);
  });

  it('reads bytes', () => {
    assert.deepEqual(readMarshal(marshalled('b"\\xffabc"')), Buffer.from('\xffabc', 'latin1'));
  });

  it('makes replacement characters of lone surrogates', () => {
    assert.match(String(readMarshal(marshalled('"a\\ud800b"'))), /^a\ufffd+b$/);
  });

  const refused: readonly (readonly [title: string, bytes: Uint8Array, reason: RegExp])[] = [
    ['nothing', new Uint8Array(), /cut short/],
    ['a second value', Uint8Array.from([text('N'), text('N')]), /something after it/],
    ['bytes that are not there', Uint8Array.from([text('s'), 4, 0, 0, 0, 1, 2, 3]), /cut short/],
    ['less than no bytes', Uint8Array.from([text('s'), 255, 255, 255, 255]), /negative length/],
    ['a set', marshalled('{1}'), /type/],
    ['a number of 80 bits', marshalled('2**79'), /too large/],
    ['a number of 60 bits', marshalled('2**60'), /too large/],
    ['a key that is a number', marshalled('{1: 2}'), /not text/],
    ['a list of a billion items', Uint8Array.from([...list(1e9), text('N')]), /cut short/],
    ['a list of less than no items', Uint8Array.from(list(-1)), /cut short/],
    ['a text of a billion characters', Uint8Array.from([text('u'), 0, 0xca, 0x9a, 0x3b]), /cut short/],
    ['a dict without an end', Uint8Array.from([text('{')]), /cut short/],
    ['a reference to nothing', Uint8Array.from([text('r'), 0, 0, 0, 0]), /not there/],
    ['a list that has itself', Uint8Array.from([text('[') | 0x80, 1, 0, 0, 0, text('r'), 0, 0, 0, 0]), /not there/],
    [
      'a hundred thousand lists in each other',
      Uint8Array.from({ length: 500_000 }, (_, i) => list(1)[i % 5] ?? 0),
      /deep/,
    ],
  ];
  for (const [title, bytes, reason] of refused) {
    it(`refuses ${title}`, () => assert.match(reasonOf(bytes), reason));
  }

  it('refuses few bytes that refer to each other and become many values', () => {
    const levels = Array.from({ length: 20 }, (_, i) => `a${i + 1} = [a${i}] * 20`).join('; ');
    assert.match(reasonOf(marshalled(`(exec("a0 = ['x']; ${levels}", globals()), a20)[1]`)), /too often/);
  });

  it('returns a value or a reason for any bytes', (t) => {
    const seed = chooseSeed();
    t.diagnostic(`VIADUCT_TEST_SEED=${seed}`);
    const random = createRandom(seed);
    const valid = marshalled(SAMPLE);
    for (let round = 0; round < 5000; round += 1) {
      const bytes = valid.slice(0, 1 + Math.floor(random() * valid.length));
      for (let i = 0; i < 3; i += 1) bytes[Math.floor(random() * bytes.length)] = Math.floor(random() * 256);
      readMarshal(bytes);
    }
    assert.deepEqual(readMarshal(valid), DECODED);
  });
});
