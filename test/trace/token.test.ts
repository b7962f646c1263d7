import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { newOneTimeToken, OneTimeTokens, readToken, signToken, TOKEN_SECONDS_MAX } from '../../src/trace/token.ts';
import { USUAL_DETAILS } from '../../src/trace/trace.ts';

const KEY = 'a key of many characters';
const NOW = Date.parse('2026-11-30T12:00:00Z');

describe('readToken', () => {
  it('reads what signToken made, with what to record', () => {
    const details = { locals: true, profile: false, sqlParameters: true };
    assert.deepEqual(readToken(KEY, signToken(KEY, 60, details, NOW), NOW + 59_000), details);
    assert.deepEqual(readToken(KEY, signToken(KEY, 60, USUAL_DETAILS, NOW), NOW), USUAL_DETAILS);
  });

  it('refuses a token after its time, and one that claims a longer time than a token has', () => {
    const token = signToken(KEY, 60, USUAL_DETAILS, NOW);
    assert.equal(readToken(KEY, token, NOW + 61_000), null);
    assert.equal(readToken(KEY, token, NOW - (TOKEN_SECONDS_MAX + 1) * 1000), null);
    const long = signToken(KEY, 10 * TOKEN_SECONDS_MAX, USUAL_DETAILS, NOW);
    assert.equal(readToken(KEY, long, NOW + (TOKEN_SECONDS_MAX + 1) * 1000), null);
  });

  it('refuses a token that was changed anywhere, or made with another key', () => {
    const token = signToken(KEY, 60, USUAL_DETAILS, NOW);
    assert.equal(readToken('another key of the same', token, NOW), null);
    for (let i = 0; i < token.length; i += 1) {
      const other = token[i] === 'a' ? 'b' : 'a';
      const changed = `${token.slice(0, i)}${other}${token.slice(i + 1)}`;
      // The last character of a MAC has two bits that mean nothing.
      if (i < token.length - 1) assert.equal(readToken(KEY, changed, NOW), null, `${i}`);
    }
    for (const text of ['', 'v1', `${token}x`, 'x'.repeat(100_000)]) assert.equal(readToken(KEY, text, NOW), null);
  });

  it('makes another token each time', () => {
    assert.notEqual(signToken(KEY, 60, USUAL_DETAILS, NOW), signToken(KEY, 60, USUAL_DETAILS, NOW));
  });
});

describe('OneTimeTokens', () => {
  it('accepts a token once', () => {
    const tokens = new OneTimeTokens();
    const token = newOneTimeToken();
    tokens.add(token, USUAL_DETAILS);
    assert.equal(tokens.take('once.AAAA'), null);
    assert.deepEqual(tokens.take(token), USUAL_DETAILS);
    assert.equal(tokens.take(token), null);
    assert.equal(tokens.size, 0);
  });

  it('accepts a token for a minute', () => {
    const tokens = new OneTimeTokens();
    const token = newOneTimeToken();
    tokens.add(token, USUAL_DETAILS, NOW);
    assert.equal(tokens.take(token, NOW + 60_001), null);
  });

  it('keeps the newest tokens when there are too many', () => {
    const tokens = new OneTimeTokens();
    const made = Array.from({ length: 1000 }, newOneTimeToken);
    for (const token of made) tokens.add(token, USUAL_DETAILS);
    assert.equal(tokens.size, 100);
    assert.equal(tokens.take(made[0] ?? ''), null);
    assert.notEqual(tokens.take(made.at(-1) ?? ''), null);
  });
});
