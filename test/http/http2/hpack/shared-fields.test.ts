import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HpackDecoder } from '../../../../src/http/http2/hpack/decoder.ts';
import type { HeaderField } from '../../../../src/http/http2/hpack/header-field.ts';

const string = (text: string): Buffer => Buffer.concat([Buffer.of(text.length), Buffer.from(text, 'latin1')]);

/** The field that a new decoder makes of a literal that goes into its table, by name, in full. */
function decoded(name: string, value: string, first = 0x40): HeaderField {
  const decoder = new HpackDecoder();
  const section = Buffer.concat([Buffer.of(first), string(name), string(value)]);
  const fields: HeaderField[] = [];
  assert.equal(decoder.decode(section, 0, section.length, fields, 65_536, 100), null);
  if (first === 0x40) {
    const again: HeaderField[] = [];
    assert.equal(decoder.decode(Buffer.of(0xbe), 0, 1, again, 65_536, 100), null);
    assert.equal(again[0], fields[0], 'the table has it');
  }
  return fields[0] as HeaderField;
}

describe('fields in the tables of several connections', () => {
  it('are one object when name and value are equal', () => {
    assert.equal(decoded('user-agent', 'Browser/1'), decoded('user-agent', 'Browser/1'));
    assert.notEqual(decoded('user-agent', 'Browser/1'), decoded('user-agent', 'Browser/2'));
    assert.notEqual(decoded('x-a', 'Browser/1'), decoded('user-agent', 'Browser/1'));
  });

  for (const [what, name, value, first] of [
    ['a cookie', 'cookie', 'id=1', 0x40],
    ['credentials', 'authorization', 'Basic eDp5', 0x40],
    ['a path', ':path', '/private', 0x40],
    ['a field that is never indexed', 'x-token', 'secret', 0x10],
    ['a field that is not indexed', 'x-plain', 'value', 0x00],
  ] as const) {
    it(`are not shared: ${what}`, () => {
      const [one, two] = [decoded(name, value, first), decoded(name, value, first)];
      assert.notEqual(one, two);
      assert.deepEqual({ ...one }, { ...two });
    });
  }

  it('keep their values when a client sends more of them than are remembered', () => {
    for (let round = 0; round < 2; round += 1) {
      for (let i = 0; i < 3000; i += 1) {
        const { name, value } = decoded(`x-${i % 7}`, `value ${i}`);
        assert.deepEqual([name, value], [`x-${i % 7}`, `value ${i}`]);
      }
    }
  });
});
