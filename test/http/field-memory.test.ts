import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FieldMemory } from '../../src/http/http1/header-cache.ts';

describe('the memory of a field section', () => {
  const section = Buffer.from('Host: a\r\nCookie: x=1\r\n\r\n');

  it('knows the same bytes, but not others, a part or another version', () => {
    const memory = new FieldMemory();
    assert.equal(memory.matches(section, 0, section.length, 1), false);
    memory.learn(section, 0, section.length, 1);
    assert.equal(memory.matches(section, 0, section.length, 1), true);
    assert.equal(memory.matches(section, 0, section.length, 0), false);
    assert.equal(memory.matches(section, 0, section.length - 1, 1), false);
    assert.equal(memory.matches(Buffer.from('Host: a\r\nCookie: x=2\r\n\r\n'), 0, section.length, 1), false);
  });

  it('gives each section that recurs a number of its own, and a new section none', () => {
    const [one, other] = [new FieldMemory(), new FieldMemory()];
    one.recur();
    other.recur();
    assert.notEqual(one.number, other.number);
    one.learn(section, 0, section.length, 1);
    assert.equal(one.number, 0);
  });

  it('learns rarely when nothing recurs, and always again when something does', () => {
    const memory = new FieldMemory();
    const learned = Array.from({ length: 32 }, () => memory.learn(section, 0, section.length, 1));
    assert.deepEqual(
      learned.flatMap((is, index) => (is ? [index + 1] : [])),
      [1, 2, 3, 4, 16, 32],
    );
    memory.recur();
    assert.equal(memory.learn(section, 0, section.length, 1), true);
  });

  it('remembers no long section', () => {
    const memory = new FieldMemory();
    assert.equal(memory.learn(Buffer.alloc(2049, 'a'), 0, 2049, 1), false);
    assert.equal(memory.matches(Buffer.alloc(2049, 'a'), 0, 2049, 1), false);
  });
});
