import { deepEqual, equal, ok, throws } from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ViaductError } from '../../src/errors.ts';
import { CharacterSet } from '../../src/routing/character-set.ts';
import { Pattern } from '../../src/routing/pattern.ts';

const SEED = 20_260_101;
const ROUNDS = 20_000;
const LOOK_AROUND_ROUNDS = 5000;

/** The result of JavaScript's own engine. */
function reference(source: string, text: string): string[] | null {
  const result = new RegExp(source).exec(text);
  return result === null ? null : result.slice(1).map((group) => group ?? '');
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
  ['^/(?!static/)(.*)$', ['/static/x', '/statics/x', '/static', '/', '/a/static/', 'static/']],
  ['^/(?!(?:api|admin)(?:/|$))([^/]+)', ['/api', '/api/x', '/apis', '/admin', '/a']],
  ['^(?=.*\\.php)(?!/vendor/)/(\\w+)', ['/a/b.php', '/vendor/x.php', '/a/b']],
  ['^/[a-z]{2}/(?!x)(.)', ['/de/x', '/de/y', '/d/y']],
  ['^/v\\d(?=/)(.*)(?<!\\.html)$', ['/v1/a', '/v1/a.html', '/v1']],
  ['^(.*)(?<!\\.php|\\.inc)$', ['/a.php', '/a.inc', '/a.txt', '']],
  ['(?<=[.]php)$', ['/a.php', '/php']],
  ['^[(?!](?!\\))\\(?(.)', ['(a', '(()', '!)', '?b']],
];

describe('a pattern', () => {
  for (const [source, texts] of CASES) {
    it(`matches like JavaScript's engine: ${source}`, () => {
      for (const text of texts) deepEqual(match(source, text), reference(source, text), text);
    });
  }

  it("matches like JavaScript's engine for random patterns and texts", () => {
    const random = generator(SEED);
    let matched = 0;
    for (let round = 0; round < ROUNDS; round += 1) {
      const source = randomPattern(random, 3);
      const text = Array.from({ length: random(8) }, () => 'abc/'[random(4)]).join('');
      const expected = reference(source, text);
      if (expected !== null) matched += 1;
      const pattern = new Pattern(source, 'pattern');
      deepEqual(pattern.match(text), expected, `${source} with ${JSON.stringify(text)}`);
      equal(pattern.test(text), expected !== null, `${source} with ${JSON.stringify(text)}`);
    }
    ok(matched > ROUNDS / 10 && matched < ROUNDS, `${matched}`);
  });

  it("matches like JavaScript's engine for random patterns with look-arounds", () => {
    const random = generator(SEED);
    let matched = 0;
    for (let round = 0; round < LOOK_AROUND_ROUNDS; round += 1) {
      const plain = () => randomPattern(random, 2).replace(/\((?!\?)/g, '(?:');
      const ahead = `^${'[ab]/a'.slice(0, [0, 4, 5, 6][random(4)])}(?${'!='[random(2)]}${plain()})`;
      const behind = `(?<${'!='[random(2)]}${plain()})$`;
      const inner = `(${randomPattern(random, 2)})`;
      const source = [`${ahead}${inner}`, `${inner}${behind}`, `${ahead}${inner}${behind}`][random(3)] as string;
      const text = Array.from({ length: random(8) }, () => 'abc/'[random(4)]).join('');
      const expected = reference(source, text);
      if (expected !== null) matched += 1;
      deepEqual(match(source, text), expected, `${source} with ${JSON.stringify(text)}`);
    }
    ok(matched > LOOK_AROUND_ROUNDS / 50 && matched < LOOK_AROUND_ROUNDS, `${matched}`);
  });

  it('covers what either JavaScript or Python matches behind a look-around, too', () => {
    for (const [source, text] of [
      ['^/(?!\\w+/open)(.*)$', '/é/open'],
      ['^/(?!\\W+/open)(.*)$', '/é/open'],
      ['^/(?!\\d)', '/٣'],
      ['^/(?=\\d)', '/٣'],
      ['^(.*)(?<!\\bopen)$', 'éopen'],
    ] as const)
      ok(match(source, text) !== null, source);
    equal(match('^/(?!\\w+/open)(.*)$', '/e/open'), null);
  });

  it('takes a number of steps that is limited by the text, where backtracking would never end', () => {
    const text = `/${'a'.repeat(5000)}!`;
    for (const source of ['^/(a+)+$', '^/(a|a)*$', '(.*)(.*)(.*)(.*)x$', '^/(a*)*b', '(([a-z])+.)+[A-Z]$']) {
      equal(match(source, text), null, source);
    }
  });

  it('looks at each character of its alternatives once for a text that does not match, however long it is', (context) => {
    const names = Array.from({ length: 100 }, (_, index) => `bot${index}x`);
    const has = context.mock.method(CharacterSet.prototype, 'has');
    const pattern = new Pattern(`(${names.join('|')})`, 'pattern');
    equal(pattern.match('bot1'.repeat(5000)), null);
    ok(has.mock.callCount() < 5000, `${has.mock.callCount()}`);
  });

  it('looks at all characters outside ASCII as one where the pattern has none', (context) => {
    const has = context.mock.method(CharacterSet.prototype, 'has');
    const pattern = new Pattern('(?:curl|[Ww]get\\.)/', 'pattern');
    const text = Array.from({ length: 5000 }, (_, index) => String.fromCodePoint(0x800 + index)).join('');
    equal(pattern.test(text), false);
    equal(pattern.test(`${text}wget./`), true);
    ok(has.mock.callCount() < 50, `${has.mock.callCount()}`);
  });

  it('forgets the states of old texts', () => {
    const random = generator(SEED);
    const pattern = new Pattern('(?:a|b){0,60}a(?:a|b){20}c', 'pattern');
    for (let round = 0; round < 200; round += 1) {
      const text = Array.from({ length: 100 }, () => 'ab'[random(2)]).join('');
      equal(pattern.test(`${text}c`), text.at(-21) === 'a', text);
    }
  });

  const OTHERS = ['é', 'ß', '€', '\u00a0', '\u2028', '\ufeff', '\ufffd', '٣', '字', '😀', '𝟛', '\ud800'];
  for (const source of [
    '.',
    '[^/]',
    '[^a-z]',
    '[^\\d/]',
    '[^\\w-]',
    '\\D',
    '\\W',
    '[\\D]',
    '[\\W_]',
    '[^]',
    '[^\\-\\_\\.]',
  ]) {
    it(`matches each character outside ASCII with ${source}`, () => {
      for (const other of OTHERS) deepEqual(match(`^(${source})$`, other), [other], other);
    });
  }

  it('matches each character outside ASCII except spaces with \\S', () => {
    for (const other of OTHERS) equal(match('^\\S$', other) !== null, !/^[\u00a0\u2028]$/.test(other), other);
  });

  it("matches outside ASCII all that JavaScript's engine matches, for random classes and characters", () => {
    const random = generator(SEED);
    const items = [
      '\\d',
      '\\w',
      '\\s',
      '\\D',
      '\\W',
      '\\S',
      'a',
      '_',
      '\\.',
      'é',
      'à-ü',
      '\\u0660-\\u0669',
      '😀',
      '字',
      '\\x41',
    ];
    let matched = 0;
    for (let round = 0; round < ROUNDS; round += 1) {
      const chosen = Array.from({ length: 1 + random(3) }, () => items[random(items.length)]).join('');
      const source = `[${random(2) === 0 ? '^' : ''}${chosen}${random(3) === 0 ? '-' : ''}]`;
      const character = OTHERS[random(OTHERS.length)] as string;
      if (!new RegExp(`^${source.replace(/-\]$/, ']')}$`, 'u').test(character)) continue;
      matched += 1;
      deepEqual(match(`^${source}$`, character), [], `${source} with ${character}`);
    }
    ok(matched > ROUNDS / 10, `${matched}`);
  });

  for (const [source, matching, others] of [
    ['^é$', ['é'], ['e', 'è']],
    ['^\\u00e9\\xe9$', ['éé'], ['é']],
    ['^[à-ü]+/$', ['éü/'], ['é', 'z/']],
    ['^[^é]$', ['è', 'e'], ['é']],
    ['^😀{2}$', ['😀😀'], ['😀']],
    ['^\\ud83d\\ude00$', ['😀'], ['😁']],
    ['^[\\w-.]+$', ['a-.é'], ['/', '€']],
    ['^\\d+$', ['12', '٣', '１'], ['é', 'x']],
    ['^\\w+$', ['a_1é字'], ['€', '/']],
    ['^[^\\W\\d_]+$', ['aé字'], ['1', '٣', '_', '€']],
    ['^a\\sb$', ['a b', 'a\u00a0b', 'a\u3000b'], ['aéb']],
    ['\\bé', ['/é', 'é'], ['/e']],
    ['/\\Bé', ['/é'], ['é']],
    ['^(.)(.)$', ['é😀', '\n\r'], ['é']],
  ] as const) {
    it(`matches outside ASCII with ${source}`, () => {
      for (const text of matching) ok(match(source, text) !== null, text);
      for (const text of others) equal(match(source, text), null, text);
    });
  }

  it('returns captures with characters outside ASCII', () => {
    deepEqual(match('^/(.)/([^/]+)/(é*)', '/😀/aé😀/ééx'), ['😀', 'aé😀', 'éé']);
  });

  it('matches a line break as an ordinary character, and the ends only of the whole text', () => {
    deepEqual(match('^/x/(.*)$', '/x/a\nb\r\u2028'), ['a\nb\r\u2028']);
    equal(match('^/x$', '/x\n'), null);
    equal(match('^/x$', '\n/x'), null);
  });

  const unsupported: readonly (readonly [string, RegExp])[] = [
    ['(', /not a valid regular expression/],
    ['a**', /not a valid regular expression/],
    ['[z-a]', /not a valid regular expression/],
    ['(a)\\1', /back reference/],
    ['(?<x>a)\\k<x>', /back reference/],
    ['(?=a)', /look-ahead that is not behind \^/],
    ['a(?!a)', /look-ahead that is not behind \^/],
    ['^a*(?!b)', /look-ahead that is not behind \^/],
    ['^(?:a|bc)(?!b)', /look-ahead that is not behind \^/],
    ['(?<=a)b', /look-behind that is not before the final \$/],
    ['a(?<!a)$b', /look-behind that is not before the final \$/],
    ['^(?!a)b|c', /look-around beside alternatives/],
    ['^((?!a)b)', /look-around inside a group/],
    ['^(?!(?=a)b)', /look-around inside a group/],
    ['^(?!(a))b', /captures inside a look-around/],
    ['^(?=a)*b', /repeats a look-around/],
    ['^(?=a){2}b', /repeats a look-around/],
    ['a{101}', /more than 100 times/],
    ['(?:a{100}){100}', /too large/],
  ];
  for (const [source, message] of unsupported) {
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

/** Generates numbers from 0 up to but not including `below`, the same in every run. */
function generator(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** A pattern without repetitions of a possibly empty group, for which JavaScript's captures are special. */
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
