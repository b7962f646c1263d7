import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ViaductError } from '../../../src/errors.ts';
import { Tokens } from '../../../src/import/nginx/tokens.ts';
import { parseTree } from '../../../src/import/nginx/tree.ts';
import { createRandom } from '../../support/random.ts';

function wordsOf(text: string): string[] {
  const tokens = new Tokens(text, 'nginx.conf');
  const words: string[] = [];
  for (let token = tokens.next(); token.kind !== 'end'; token = tokens.next()) words.push(token.text);
  return words;
}

describe('tokens', () => {
  const cases: readonly (readonly [what: string, text: string, words: readonly string[]])[] = [
    ['words, semicolons and braces', 'a b{c;}', ['a', 'b', '{', 'c', ';', '}']],
    ['no comment', 'a # b ; {\nc', ['a', 'c']],
    ['a number sign within a word', 'a#b', ['a#b']],
    ['what stands in quotes as one word', `"a b" 'c ; {'`, ['a b', 'c ; {']],
    ['an empty word in quotes', "''", ['']],
    ['escapes in quotes', String.raw`"a\"b\tc"`, ['a"b\tc']],
    ['other escapes as they stand', String.raw`\.php$ "\d+"`, [String.raw`\.php$`, String.raw`\d+`]],
    ['braces of a variable', 'a$\x7bb}c;', ['a$\x7bb}c', ';']],
  ];
  for (const [what, text, words] of cases) {
    it(`have ${what}`, () => assert.deepEqual(wordsOf(text), words));
  }

  it('end, or throw what names a line, whatever the text', () => {
    const random = createRandom(20_261_125);
    const pieces = [
      'server',
      'location',
      ' ',
      '\n',
      ';',
      '{',
      '}',
      '"',
      "'",
      '\\',
      '#',
      '$',
      '$\x7b',
      '~',
      'content_by_lua_block',
      '\0',
      'é',
      '--',
      '/',
    ];
    for (let round = 0; round < 4000; round += 1) {
      const length = Math.floor(random() * 40);
      const text = Array.from({ length }, () => pieces[Math.floor(random() * pieces.length)]).join('');
      try {
        parseTree(text, 'fuzz.conf');
      } catch (error) {
        assert.ok(error instanceof ViaductError, `${JSON.stringify(text)}: ${String(error)}`);
        assert.match(error.message, /^Cannot read fuzz\.conf:\d+: /);
      }
    }
  });
});

describe('a tree', () => {
  const mistakes: readonly (readonly [what: string, text: string, message: string])[] = [
    ['a block that does not end', 'http {\n server {\n', 'Cannot read x.conf:2: the block "server" does not end'],
    ['a brace too many', 'a;\n}\n', 'Cannot read x.conf:2: a closing brace without a block'],
    ['a missing semicolon', 'a b\n}\n', 'Cannot read x.conf:1: the directive "a" does not end'],
    ['a quote that does not end', 'a;\nb "c;\n', 'Cannot read x.conf:2: the quote that starts here does not end'],
    ['something right behind a quote', 'a "b"c;', 'Cannot read x.conf:1: "c" follows directly after a quote'],
    ['a semicolon alone', ';', 'Cannot read x.conf:1: ";" where a directive should start'],
    [
      'blocks within blocks without end',
      'a {'.repeat(50),
      'Cannot read x.conf:1: blocks and files are nested too deep',
    ],
  ];
  for (const [what, text, message] of mistakes) {
    it(`is refused for ${what}`, () => {
      assert.throws(() => parseTree(text, 'x.conf'), { name: 'ViaductError', code: 'SETTINGS', message });
    });
  }

  it('knows the line of each directive', () => {
    const { directives } = parseTree('a;\n\nb {\n  c "x\ny";\n  d;\n}\n', 'x.conf');
    const lines = [...directives, ...(directives[1]?.block ?? [])].map(({ name, line }) => `${name}:${line}`);
    assert.deepEqual(lines, ['a:1', 'b:3', 'c:4', 'd:6']);
  });
});
