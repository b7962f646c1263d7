import type { Pattern } from './pattern.ts';

/** How many texts are kept at each step. */
const SAMPLES_MAX = 6;

/** A few texts that contain what a pattern describes, one for each alternative as far as possible. Those that it does not match are left out. */
export function samplesOf(pattern: Pattern): string[] {
  const { regex, source } = pattern;
  if (regex === null) return [];
  const samples = new Sampler(source.replace(/^\(\?i\)/, '')).alternatives();
  return [...new Set(samples)].filter((text) => regex.test(text));
}

class Sampler {
  readonly #source: string;
  #at = 0;

  constructor(source: string) {
    this.#source = source;
  }

  /** Up to the end of the group, or of the pattern. */
  alternatives(): string[] {
    const all: string[] = [];
    let sequence = [''];
    while (this.#at < this.#source.length && this.#source[this.#at] !== ')') {
      if (this.#source[this.#at] === '|') {
        this.#at += 1;
        all.push(...sequence);
        sequence = [''];
      } else {
        const term = this.#repeated(this.#term());
        sequence = sequence.flatMap((text) => term.map((next) => text + next)).slice(0, SAMPLES_MAX);
      }
    }
    this.#at += 1;
    return [...all, ...sequence].slice(0, SAMPLES_MAX);
  }

  #term(): string[] {
    const char = this.#source[this.#at] as string;
    this.#at += 1;
    if (char === '(') return this.#group();
    if (char === '[') return this.#class();
    if (char === '\\') return [escaped(this.#source[this.#at++] ?? '')];
    if (char === '.') return ['x'];
    return char === '^' || char === '$' ? [''] : [char];
  }

  #group(): string[] {
    const [start = '', look = ''] = /^\?(?:(=|!|<=|<!)|:|P?<\w+>)/.exec(this.#source.slice(this.#at)) ?? [];
    this.#at += start.length;
    const inner = this.alternatives();
    return look === '' ? inner : [''];
  }

  #class(): string[] {
    const [text = ''] = /^\^?\]?(?:\\[\s\S]|[^\]\\])*\]/.exec(this.#source.slice(this.#at)) ?? [];
    this.#at += text.length;
    const regex = new RegExp(`[${text.replace(/^(\^?)\](?=.)/, '$1\\]')}`);
    const found = [...'xa0A-_./% '].find((char) => regex.test(char));
    return [found ?? text[0] ?? ''];
  }

  #repeated(term: string[]): string[] {
    const [text = '', sign = ''] = /^(?:([*+?])|\{(\d+)(?:,\d*)?\})[?+]?/.exec(this.#source.slice(this.#at)) ?? [];
    if (text === '') return term;
    this.#at += text.length;
    if (sign === '+') return term;
    if (sign !== '') return [...term, ''];
    return term.map((each) => each.repeat(Number(/\d+/.exec(text)?.[0])));
  }
}

function escaped(char: string): string {
  const known: Readonly<Record<string, string>> = { d: '1', w: 'w', s: ' ', D: 'x', W: '-', S: 'x', n: '\n', t: '\t' };
  return /[bBAzZ]/.test(char) ? '' : (known[char] ?? char);
}
