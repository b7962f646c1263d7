import type { SourceLocation } from '../import-report.ts';
import { refused } from '../refused.ts';

/** A word, or one of the signs `{`, `}` and `;`. */
export interface Token {
  readonly kind: 'word' | ';' | '{' | '}' | 'end';
  readonly text: string;
  readonly line: number;
  /** The word was quoted. A quoted empty word is a word too. */
  readonly quoted: boolean;
}

const ESCAPES: Readonly<Record<string, string>> = { t: '\t', r: '\r', n: '\n', '"': '"', "'": "'", '\\': '\\' };
const ENDS_WORD = /[\s;{]/;

/** Splits an nginx configuration into tokens, one at a time. */
export class Tokens {
  readonly #text: string;
  readonly #file: string;
  #at = 0;
  #line = 1;

  constructor(text: string, file: string) {
    this.#text = text;
    this.#file = file;
  }

  get place(): SourceLocation {
    return { file: this.#file, line: this.#line };
  }

  /** @throws ViaductError `SETTINGS` for quotes that do not end, or for text directly after a closing quote */
  next(): Token {
    this.#skipBlanks();
    const line = this.#line;
    const char = this.#text[this.#at];
    if (char === undefined) return { kind: 'end', text: '', line, quoted: false };
    if (char === ';' || char === '{' || char === '}') {
      this.#at += 1;
      return { kind: char, text: char, line, quoted: false };
    }
    if (char === '"' || char === "'") return { kind: 'word', text: this.#quoted(char), line, quoted: true };
    return { kind: 'word', text: this.#word(), line, quoted: false };
  }

  /** Skips a block of Lua up to its closing brace. Its opening brace was the last token. */
  skipForeignBlock(): void {
    const start = this.place;
    let depth = 1;
    let quote = '';
    for (; this.#at < this.#text.length && depth > 0; this.#advance()) {
      const char = this.#text[this.#at] as string;
      if (quote !== '') {
        if (char === '\\') this.#advance();
        else if (char === quote || char === '\n') quote = '';
      } else if (char === '"' || char === "'") quote = char;
      else if (char === '-' && this.#text[this.#at + 1] === '-') quote = '\n';
      else if (char === '{') depth += 1;
      else if (char === '}') depth -= 1;
    }
    if (depth > 0) throw refused(start, 'the block that starts here does not end');
  }

  #skipBlanks(): void {
    for (let isComment = false; this.#at < this.#text.length; this.#advance()) {
      const char = this.#text[this.#at] as string;
      if (char === '#') isComment = true;
      else if (char === '\n') isComment = false;
      else if (!isComment && !/\s/.test(char)) return;
    }
  }

  #quoted(quote: string): string {
    const start = this.place;
    let text = '';
    for (this.#advance(); this.#at < this.#text.length; this.#advance()) {
      const char = this.#text[this.#at] as string;
      if (char === quote) {
        this.#advance();
        const after = this.#text[this.#at];
        if (after !== undefined && !/[\s;{)]/.test(after))
          throw refused(this.place, `"${after}" follows directly after a quote`);
        return text;
      }
      text += char === '\\' ? this.#escaped() : char;
    }
    throw refused(start, 'the quote that starts here does not end');
  }

  #word(): string {
    let text = '';
    for (; this.#at < this.#text.length; this.#advance()) {
      const char = this.#text[this.#at] as string;
      if (char === '{' && text.endsWith('$')) text += char;
      else if (ENDS_WORD.test(char)) return text;
      else text += char === '\\' ? this.#escaped() : char;
    }
    return text;
  }

  /** An escape that nginx does not know keeps its backslash, as regular expressions need. */
  #escaped(): string {
    const next = this.#text[this.#at + 1];
    if (next === undefined) return '\\';
    this.#advance();
    return ESCAPES[next] ?? `\\${next}`;
  }

  #advance(): void {
    if (this.#text[this.#at] === '\n') this.#line += 1;
    this.#at += 1;
  }
}
