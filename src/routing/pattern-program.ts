/** One step of a compiled pattern; `at` and `to` are indices of steps. */
export type Step =
  /** Takes one character that is in the table of ASCII characters. */
  | { readonly kind: 'take'; readonly table: Uint8Array }
  /** Goes on at both, `at` preferred. */
  | { readonly kind: 'split'; at: number; to: number }
  | { readonly kind: 'jump'; at: number }
  /** Notes the position in `slot`: twice the number of a group, one more for its end. */
  | { readonly kind: 'save'; readonly slot: number }
  /** Forgets the groups whose slots are `from` up to, but not, `end`: a repetition begins anew. */
  | { readonly kind: 'clear'; readonly from: number; readonly end: number }
  | { readonly kind: 'assert'; readonly what: '^' | '$' | 'b' | 'B' }
  | { readonly kind: 'match' };

const STEPS_MAX = 2000;
const REPEATS_MAX = 100;
const ASCII = 128;

/** A pattern in words that a person understands: why it cannot be used. */
export class PatternRefused extends Error {}

/** A pattern as steps. `groups` counts the capturing groups. */
export interface Program {
  readonly steps: readonly Step[];
  readonly groups: number;
}

/**
 * Compiles the text of a regular expression, which must be one of JavaScript's (without flags).
 *
 * @throws PatternRefused for what takes more than one pass over the text: lookarounds, back references; for repetitions that are too many.
 */
export function compileProgram(source: string): Program {
  const compiler = new Compiler(source);
  compiler.alternatives();
  return { steps: [...compiler.steps, { kind: 'match' }], groups: compiler.groups };
}

/** Reads a pattern from left to right, and writes steps behind each other. */
class Compiler {
  readonly steps: Step[] = [];
  groups = 0;
  readonly #source: string;
  #at = 0;

  constructor(source: string) {
    this.#source = source;
  }

  /** `a|b|c`, up to a closing parenthesis or the end. */
  alternatives(): void {
    const start = this.steps.length;
    this.#sequence();
    if (this.#source[this.#at] !== '|') return;
    this.#at += 1;
    const first = this.#cut(start);
    const split: Step = { kind: 'split', at: start + 1, to: 0 };
    this.#write(split);
    this.#append(first, start, start + 1);
    const jump: Step = { kind: 'jump', at: 0 };
    this.#write(jump);
    split.to = this.steps.length;
    this.alternatives();
    jump.at = this.steps.length;
  }

  #sequence(): void {
    while (this.#at < this.#source.length) {
      const char = this.#source[this.#at];
      if (char === '|' || char === ')') return;
      const start = this.steps.length;
      const groupsBefore = this.groups;
      this.#atom(char as string);
      this.#quantifier(start, groupsBefore);
    }
  }

  #atom(char: string): void {
    if (char === '(') this.#group();
    else if (char === '^' || char === '$') {
      this.#at += 1;
      this.#write({ kind: 'assert', what: char });
    } else if (/^\\[bB]/.test(this.#source.slice(this.#at, this.#at + 2))) {
      this.#write({ kind: 'assert', what: this.#source[this.#at + 1] === 'b' ? 'b' : 'B' });
      this.#at += 2;
    } else this.#write({ kind: 'take', table: tableOf(this.#character(char)) });
  }

  /** The text of one atom that stands for a character. */
  #character(char: string): string {
    const start = this.#at;
    if (char === '[') {
      this.#at += 1;
      while (this.#source[this.#at] !== ']') this.#at += this.#source[this.#at] === '\\' ? 2 : 1;
      this.#at += 1;
    } else if (char === '\\') {
      const rest = this.#source.slice(start);
      if (/^\\[1-9k]/.test(rest)) throw new PatternRefused('it refers back to a group');
      this.#at += /^\\(?:x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}|c[A-Za-z]|.)/s.exec(rest)?.[0].length ?? 1;
    } else this.#at += 1;
    return this.#source.slice(start, this.#at);
  }

  #group(): void {
    const kind = /^\((?:\?(?::|<(?![=!])[^>]*>)?)?/.exec(this.#source.slice(this.#at))?.[0] as string;
    if (kind === '(?') throw new PatternRefused('it looks ahead or behind, or changes flags');
    this.#at += kind.length;
    const captures = kind !== '(?:';
    if (captures) this.groups += 1;
    const slot = this.groups * 2;
    if (captures) this.#write({ kind: 'save', slot });
    this.alternatives();
    if (captures) this.#write({ kind: 'save', slot: slot + 1 });
    this.#at += 1;
  }

  #quantifier(start: number, groupsBefore: number): void {
    const found = /^(?:[*+?]|\{(\d+)(,(\d*))?\})(\??)/.exec(this.#source.slice(this.#at));
    if (found === null) return;
    const [text, low, comma, high, lazy] = found;
    this.#at += text.length;
    const min = low === undefined ? (text[0] === '+' ? 1 : 0) : Number(low);
    const most = low === undefined ? (text[0] === '?' ? 1 : -1) : high ? Number(high) : comma ? -1 : min;
    if (min > REPEATS_MAX || most > REPEATS_MAX)
      throw new PatternRefused(`it repeats something over ${REPEATS_MAX} times`);
    const body = this.#cut(start);
    const clear: Step = { kind: 'clear', from: groupsBefore * 2 + 2, end: this.groups * 2 + 2 };
    const once = () => {
      if (this.groups > groupsBefore) this.#write(clear);
      this.#append(body, start, this.steps.length);
    };
    for (let i = 0; i < min; i += 1) once();
    if (most < 0) this.#loop(once, lazy === '?');
    const optional: { split: Step; at: number }[] = [];
    for (let i = min; i < most; i += 1) {
      const split: Step = { kind: 'split', at: 0, to: 0 };
      optional.push({ split, at: this.steps.length + 1 });
      this.#write(split);
      once();
    }
    for (const { split, at } of optional) point(split, at, this.steps.length, lazy === '?');
  }

  #loop(once: () => void, lazy: boolean): void {
    const start = this.steps.length;
    const split: Step = { kind: 'split', at: 0, to: 0 };
    this.#write(split);
    once();
    this.#write({ kind: 'jump', at: start });
    point(split, start + 1, this.steps.length, lazy);
  }

  #cut(start: number): Step[] {
    return this.steps.splice(start);
  }

  /** Writes steps that stood from `from` on again, now from `to` on. */
  #append(steps: readonly Step[], from: number, to: number): void {
    const by = to - from;
    for (const step of steps) {
      if (step.kind === 'split') this.#write({ kind: 'split', at: step.at + by, to: step.to + by });
      else if (step.kind === 'jump') this.#write({ kind: 'jump', at: step.at + by });
      else this.#write(step);
    }
  }

  #write(step: Step): void {
    if (this.steps.length >= STEPS_MAX) throw new PatternRefused('its repetitions make it too long');
    this.steps.push(step);
  }
}

function point(split: Step, inside: number, behind: number, lazy: boolean): void {
  if (split.kind !== 'split') return;
  split.at = lazy ? behind : inside;
  split.to = lazy ? inside : behind;
}

/** Which ASCII characters `atom` stands for: JavaScript's own expressions know best. */
function tableOf(atom: string): Uint8Array {
  const expression = new RegExp(`^(?:${atom})$`);
  return Uint8Array.from({ length: ASCII }, (_, code) => (expression.test(String.fromCharCode(code)) ? 1 : 0));
}
