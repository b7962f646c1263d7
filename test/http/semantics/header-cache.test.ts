import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HeaderCache } from '../../../src/http/semantics/header-cache.ts';

describe('HeaderCache', () => {
  const section = Buffer.from('Host: a\r\nCookie: x=1\r\n\r\n');

  it('matches the same bytes, but not other bytes, a part of them or another version', () => {
    const headerCache = new HeaderCache();
    assert.equal(headerCache.matches(section, 0, section.length, 1), false);
    headerCache.learn(section, 0, section.length, 1);
    assert.equal(headerCache.matches(section, 0, section.length, 1), true);
    assert.equal(headerCache.matches(section, 0, section.length, 0), false);
    assert.equal(headerCache.matches(section, 0, section.length - 1, 1), false);
    assert.equal(headerCache.matches(Buffer.from('Host: a\r\nCookie: x=2\r\n\r\n'), 0, section.length, 1), false);
  });

  it('gives each repeated section a different number, and a new section no number', () => {
    const [first, second] = [new HeaderCache(), new HeaderCache()];
    first.noteRepetition();
    second.noteRepetition();
    assert.notEqual(first.number, second.number);
    first.learn(section, 0, section.length, 1);
    assert.equal(first.number, 0);
  });

  it('learns few sections when none repeats, and each section again after a repetition', () => {
    const headerCache = new HeaderCache();
    const learned = Array.from({ length: 32 }, () => headerCache.learn(section, 0, section.length, 1));
    assert.deepEqual(
      learned.flatMap((isLearned, index) => (isLearned ? [index + 1] : [])),
      [1, 2, 3, 4, 16, 32],
    );
    headerCache.noteRepetition();
    assert.equal(headerCache.learn(section, 0, section.length, 1), true);
  });

  it('does not learn a long section', () => {
    const headerCache = new HeaderCache();
    assert.equal(headerCache.learn(Buffer.alloc(2049, 'a'), 0, 2049, 1), false);
    assert.equal(headerCache.matches(Buffer.alloc(2049, 'a'), 0, 2049, 1), false);
  });
});
