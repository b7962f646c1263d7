import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { loadScript } from './load.ts';

interface Pattern {
  readonly id: string;
  readonly instead: string;
  readonly bad: readonly string[];
  readonly good: readonly string[];
}

interface Word {
  readonly word: string;
  readonly instead: string;
  readonly exact?: boolean;
}

interface Finding {
  readonly line: number;
  readonly words: string;
  readonly instead: string;
}

const { PATTERNS, WORDS } = (await loadScript('prose-patterns.mjs')) as {
  PATTERNS: readonly Pattern[];
  WORDS: readonly Word[];
};
const { findingsIn } = (await loadScript('prose.mjs')) as {
  findingsIn: (path: string, source: string) => readonly Finding[];
};

/** The IDs that were found, with their lines. */
function found(path: string, source: string): readonly string[] {
  return findingsIn(path, source)
    .map(({ line, instead }) => `${line} ${/\[([^\]]+)\]$/.exec(instead)?.[1]}`)
    .sort();
}

describe('the patterns of prose', () => {
  it('have different IDs', () => {
    assert.equal(
      new Set([...PATTERNS, ...WORDS.map(({ word }) => ({ id: word }))].map(({ id }) => id)).size,
      PATTERNS.length + WORDS.length,
    );
  });

  for (const { id, instead, bad, good } of PATTERNS) {
    it(`find "${id}" and not what replaces it`, () => {
      for (const text of bad) assert.ok(found('page.md', text).includes(`1 ${id}`), text);
      for (const text of [...good, instead]) assert.deepEqual(found('page.md', text), [], text);
    });
  }
});

describe('retired words', () => {
  for (const { word, instead } of WORDS) {
    it(`are found where code says ${word}, and not where it says ${instead}`, () => {
      assert.deepEqual(found('src/a.ts', `f(${word});`), [`1 ${word}`]);
      assert.deepEqual(found('src/a.ts', `f(${instead});`), []);
    });
  }

  it('are found in every spelling, and within longer names', () => {
    const spellings = [
      'fieldMemory',
      'FieldMemory',
      'field_memory',
      'field-memory.ts',
      'a field memory',
      'newFieldMemory()',
    ];
    for (const text of spellings) assert.deepEqual(found('page.md', text), ['1 FieldMemory'], text);
    assert.deepEqual(found('src/field-memory.ts', ''), ['1 FieldMemory']);
  });

  it('are not found as separate words when these are English together', () => {
    assert.deepEqual(found('page.md', 'Waiting lines are dropped, with waiting-line.ts.'), ['1 WaitingLine']);
  });

  it('are not found within other words', () => {
    for (const text of ['confronts', 'frontSide', 'the carriersome', 'midfieldMemory']) {
      assert.deepEqual(found('src/a.ts', text), [], text);
    }
  });

  it('are found in code only, and as they are, when the word alone is English', () => {
    assert.deepEqual(found('page.md', 'A Letter. An Allowance.'), []);
    assert.deepEqual(found('src/a.ts', 'type Letter = 1; type LetterHead = 2;'), ['1 Letter']);
  });
});

describe('prose', () => {
  it('is what Markdown says outside of code', () => {
    const page = [
      '# Title',
      '',
      'This is `no begin` here, as [a link](begin.md) and <!-- begin --> say.',
      '',
      '    begin',
      '',
      '```sh',
      'begin',
      '```',
      '',
      '- It begins',
      '  a list.',
      '| a | begins |',
    ];
    assert.deepEqual(found('page.md', page.join('\n')), ['11 begin', '13 begin']);
  });

  it('goes on in the next line', () => {
    assert.deepEqual(found('page.md', 'A path\nthat is\nno path.'), ['2 is-no']);
    assert.deepEqual(found('src/a.ts', '/**\n * A path that is\n * no path.\n */'), ['2 is-no']);
    assert.deepEqual(found('src/a.ts', '// A path that is\n// no path.'), ['1 is-no']);
    assert.deepEqual(found('src/a.ts', "f('a path that is ' +\n  'no path');"), ['1 is-no']);
    assert.deepEqual(found('python/a.py', "f('a path that is '\n  'no path')"), ['1 is-no']);
  });

  it('does not go on in the next paragraph, item or cell', () => {
    assert.deepEqual(found('page.md', 'What it is\n\nno path\n\n- it is\n- no path\n\n| it is | no path |'), []);
    assert.deepEqual(
      found('src/a.ts', '/**\n * What it is\n *\n * no path\n * @returns it is\n * @throws no path\n */'),
      [],
    );
  });

  it('is what comments and messages of a program say', () => {
    const program = [
      'const begin = /begin "is none" \\//.test(text) ? a / b : c; // it begins',
      '/* it begins */ const text = "a message begins";',
      `const other = \`it begins \${begins(\`a \${1}\`)} and is \${path}\`;`,
      "if (begins) throw new Error('begins');",
    ];
    assert.deepEqual(found('src/a.ts', program.join('\n')), ['1 begin', '2 begin', '2 begin', '3 begin']);
    const python = ['"""It begins."""', 'begins = "x"  # it begins', "print(f'a {begins} begins')", "begin('begins')"];
    assert.deepEqual(found('python/a.py', python.join('\n')), ['1 begin', '2 begin', '3 begin']);
  });

  it('is the titles of a test, and nothing else of it', () => {
    const test = [
      "it('begins', () => {",
      '  // it begins',
      "  f('it begins');",
      '});',
      `describe(\`when \${a} begins\`, () => {});`,
    ];
    assert.deepEqual(found('test/a.test.ts', test.join('\n')), ['1 begin', '5 begin']);
    assert.deepEqual(found('test/python/test_a.py', 'def test_it_is_no_path(self):\n    # it begins'), ['1 is-no']);
  });

  it('may have a sentence without a verb in a heading', () => {
    assert.deepEqual(found('page.md', '## Who may connect\n\nWho connects is welcome.'), ['3 who-subject']);
  });
});

describe('an exception', () => {
  it('allows one ID in its line and the next', () => {
    const page = 'It begins. <!-- prose allows begin: a quotation -->\nIt begins.\n\nIt begins, and is none.';
    assert.deepEqual(found('page.md', page), ['4 begin', '4 is-none']);
    assert.deepEqual(found('src/a.ts', '// prose allows fronts: of houses\nconst fronts = 1;\nfronts();'), [
      '3 fronts',
    ]);
  });

  it('is refused without a reason, and where nothing is to allow', () => {
    const words = (source: string) =>
      findingsIn('src/a.ts', source).map((finding) => `${finding.words}: ${finding.instead}`);
    assert.deepEqual(words('// It begins. prose allows begin'), ['prose allows begin: give the reason behind a colon']);
    assert.deepEqual(words('// prose allows begin: a quotation'), [
      'prose allows begin: remove it: there is nothing to allow in this line or the next',
    ]);
  });
});
