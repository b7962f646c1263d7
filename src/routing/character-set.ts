/** Where JavaScript and Python disagree: what either of them matches, or only what both match. */
export type Reading = 'either' | 'both';

/**
 * The characters that one atom of a pattern matches, such as `.`, `[^/]`, `\d` or `a`. JavaScript and Python disagree
 * about `\d`, `\w` and `\s` outside ASCII. There the set usually has what either of them matches, so that a route covers the view
 * that has the same expression: `é` is in `\w` (Python) and in `\W` (JavaScript). A line break is an ordinary character.
 */
export class CharacterSet {
  readonly #ascii: Uint8Array;
  readonly #beyond: readonly RegExp[];

  readonly #reading: Reading;

  /** `atom` is an atom of a valid JavaScript regular expression without flags. */
  constructor(atom: string, reading: Reading) {
    this.#reading = reading;
    this.#ascii = asciiTable(atom);
    if (ASCII_ONLY.test(atom)) {
      this.#beyond = [];
      return;
    }
    const script = unicodeForm(atom, (sequence) => sequence);
    const python = unicodeForm(
      atom,
      (sequence, inClass) => (inClass ? PYTHON[sequence] : `[${PYTHON[sequence]}]`) as string,
    );
    this.#beyond = [...new Set([script, python])].map((source) => new RegExp(`^${source}$`, 'su'));
  }

  /** Whether no character outside ASCII is in the set. */
  get isAscii(): boolean {
    return this.#beyond.length === 0;
  }

  /** Whether the character with this code point is in the set. */
  has(code: number): boolean {
    if (code < ASCII) return this.#ascii[code] === 1;
    if (this.isAscii) return false;
    const character = String.fromCodePoint(code);
    return this.#reading === 'either'
      ? this.#beyond.some((expression) => expression.test(character))
      : this.#beyond.every((expression) => expression.test(character));
  }
}

const ASCII = 128;
/** A character of ASCII that stands for itself. */
const LITERAL = /^[ !"#%&',\-/0-9:;<=>@A-Z\]_`a-z~]$/;

/** For each character of ASCII, 1 if it is in the set. */
function asciiTable(atom: string): Uint8Array {
  const table = new Uint8Array(ASCII);
  if (LITERAL.test(atom)) {
    table[atom.charCodeAt(0)] = 1;
    return table;
  }
  const expression = new RegExp(`^(?:${atom})$`, 's');
  for (let code = 0; code < ASCII; code += 1) table[code] = +expression.test(String.fromCharCode(code));
  return table;
}

/** A character of ASCII, plain or behind a backslash, or a class of them that is not negated. */
const ASCII_ONLY = new RegExp(
  ['[ -\\-/-Z\\]-~]', '\\\\P', '\\[(?!\\^)(?:[ -\\[^-~]|\\\\P)*\\]']
    .map((one) => `^${one}$`)
    .join('|')
    .replaceAll('P', '[!-/:-@[-`{-~]'),
);

/**
 * What Python's escapes match outside ASCII. `\p{Cn}` has the characters that this Node does not know, because a newer
 * Python may know them as letters and digits.
 */
const PYTHON: Readonly<Record<string, string>> = {
  '\\d': '\\p{Nd}\\p{Cn}',
  '\\D': '\\P{Nd}',
  '\\w': '\\p{L}\\p{N}\\p{Cn}',
  '\\W': '\\p{M}\\p{P}\\p{S}\\p{Z}\\p{C}',
  '\\s': '\\p{Z}\\x85',
  '\\S': '\\p{L}\\p{M}\\p{N}\\p{P}\\p{S}\\p{C}',
};

/**
 * `atom` in the stricter syntax of the flag `u`, under which an expression sees whole characters and not halves of them.
 * `translate` returns what replaces `\d`, `\D`, `\w`, `\W`, `\s` and `\S`. ASCII characters may change, because their
 * table is made from the atom itself.
 */
function unicodeForm(atom: string, translate: (sequence: string, inClass: boolean) => string): string {
  const inClass = atom.startsWith('[');
  if (!inClass && atom !== '.' && !atom.startsWith('\\')) return codePoint(atom);
  return atom
    .replace(/-(?=\\[dDwWsS])|(?<=\\[dDwWsS])-/g, '\\-')
    .replace(/\\(?:[xu][0-9A-Fa-f]{2,4}|.)/gsu, (sequence) => {
      if (/^\\[dDwWsS]$/.test(sequence)) return translate(sequence, inClass);
      return /^\\(?:[xu].|[bfnrtv])/s.test(sequence) ? sequence : codePoint(sequence.slice(1));
    });
}

function codePoint(character: string): string {
  return `\\u{${(character.codePointAt(0) as number).toString(16)}}`;
}
