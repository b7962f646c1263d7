import { deepEqual, equal, ok, throws } from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ViaductError } from '../../src/errors.ts';
import { Pattern } from '../../src/routing/pattern.ts';

const SEED = 20_260_101;
const ROUNDS = 20_000;

/** What JavaScript's own engine says. */
function reference(source: string, text: string): string[] | null {
  const found = new RegExp(source).exec(text);
  return found === null ? null : found.slice(1).map((group) => group ?? '');
}

function match(source: string, text: string): string[] | null {
  return new Pattern(source, 'pattern').match(text);
}

const CASES: readonly (readonly [source: string, texts: readonly string[]])[] = [
  ['^/blog/(\\d+)/([^/]+)/?$', ['/blog/12/a-b/', '/blog/12/a', '/blog/x/a', '/blog/12/a/b', '']],
  ['^/(?<lang>de|en)(/.*)?$', ['/de', '/en/x', '/fr', '/den']],
  ['\\.(jpe?g|png)$', ['/a.jpg', '/a.jpeg', '/a.jpg/x', '/a.PNG']],
  ['a{2,3}(b{2})(c{1,})', ['aabbc', 'aaaabbccc', 'abbc', 'aabc']],
  ['(a*?)(a*)', ['aaa', '']],
  ['(?:(a)|(b))*', ['ab', 'ba', 'c']],
  ['\\bfoo\\B', ['foox', 'foo', ' foox', 'afoox']],
  ['[\\]a\\-c]+([^\\]]*)', [']a-cx]', 'b']],
  ['\\x41\\u0042\\t?\\/\\.\\$', ['AB/.$', 'AB/a$']],
  ['^$', ['', 'a']],
  ['()|a', ['a', '']],
  ['^(a|ab)(c|bcd)(d*)$', ['abcd', 'acd']],
  ['(|a)+', ['aaa']],
  ['{a', ['{a', 'a']],
];

describe('a pattern', () => {
  for (const [source, texts] of CASES) {
    it(`${source} matches as JavaScript's does`, () => {
      for (const text of texts) deepEqual(match(source, text), reference(source, text), text);
    });
  }

  it("matches as JavaScript's does for patterns and texts by chance", () => {
    const random = generator(SEED);
    let matched = 0;
    for (let round = 0; round < ROUNDS; round += 1) {
      const source = randomPattern(random, 3);
      const text = Array.from({ length: random(8) }, () => 'abc/'[random(4)]).join('');
      const expected = reference(source, text);
      if (expected !== null) matched += 1;
      deepEqual(match(source, text), expected, `${source} with ${JSON.stringify(text)}`);
    }
    ok(matched > ROUNDS / 10 && matched < ROUNDS, `${matched}`);
  });

  it('takes a number of steps that is bounded by the text, where backtracking would never end', () => {
    const text = `/${'a'.repeat(5000)}!`;
    for (const source of ['^/(a+)+$', '^/(a|a)*$', '(.*)(.*)(.*)(.*)x$', '^/(a*)*b', '(([a-z])+.)+[A-Z]$']) {
      equal(match(source, text), null, source);
    }
  });

  it('matches no character that is not ASCII', () => {
    equal(match('^.$', 'ä'), null);
    equal(match('^[^a]$', 'ä'), null);
  });

  const wrong: readonly (readonly [string, RegExp])[] = [
    ['(', /no regular expression/],
    ['a**', /no regular expression/],
    ['[z-a]', /no regular expression/],
    ['(a)\\1', /refers back/],
    ['(?<x>a)\\k<x>', /refers back/],
    ['(?=a)', /looks ahead/],
    ['(?!a)', /looks ahead/],
    ['(?<=a)b', /looks ahead/],
    ['(?<!a)b', /looks ahead/],
    ['a{101}', /over 100 times/],
    ['(?:a{100}){100}', /too long/],
  ];
  for (const [source, message] of wrong) {
    it(`is refused at start when it is ${source}`, () => {
      throws(
        () => new Pattern(source, 'rewrite pattern'),
        (error) =>
          error instanceof ViaductError &&
          error.code === 'SETTINGS' &&
          message.test(error.message) &&
          error.message.includes('rewrite pattern'),
      );
    });
  }
});

/** Numbers from 0 up to `below`, the same in every run. */
function generator(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** Nothing in it repeats what may be empty: there JavaScript's captures are of its own making. */
function randomPattern(random: (below: number) => number, depth: number): string {
  const parts = Array.from({ length: 1 + random(3) }, () => {
    const kind = random(depth > 0 ? 7 : 4);
    if (kind === 0) return ['^', '$', '\\b', '\\B'][random(4)];
    if (kind >= 4)
      return `${kind === 4 ? '(?:' : '('}${['a', 'b', '[^/]', '/'][random(4)]}${randomPattern(random, depth - 1)})${randomQuantifier(random)}`;
    return ['a', 'b', '.', '[ab]', '[^a]', '\\w', '/'][random(7)] + randomQuantifier(random);
  });
  const sequence = parts.join('');
  return random(5) === 0 && depth < 3 ? `${sequence}|a${randomPattern(random, 0)}` : sequence;
}

function randomQuantifier(random: (below: number) => number): string {
  return ['', '', '', '*', '+', '?', '*?', '+?', '??', '{2}', '{1,2}', '{0,2}?', '{1,}'][random(13)] as string;
}
