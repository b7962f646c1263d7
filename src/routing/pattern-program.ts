import { CharacterSet, type Reading } from './character-set.ts';

/** One step of a compiled pattern; `at` and `to` are indices of steps. */
export type Step =
  /** Consumes one character of the set. */
  | { readonly kind: 'take'; readonly set: CharacterSet }
  /** Continues at both steps and prefers `at`. */
  | { readonly kind: 'split'; at: number; to: number }
  | { readonly kind: 'jump'; at: number }
  /** Stores the position in `slot`: twice the number of a group, plus one for its end. */
  | { readonly kind: 'save'; readonly slot: number }
  /** Clears the groups whose slots are from `from` up to but not including `end`, because a repetition starts again. */
  | { readonly kind: 'clear'; readonly from: number; readonly end: number }
  | { readonly kind: 'assert'; readonly assertion: '^' | '$' | 'b' | 'B'; readonly reading: Reading }
  | { readonly kind: 'match' };

/** An escape sequence. Two that form one character are one. */
const ESCAPE =
  /^\\(?:u[Dd][89ABab][0-9A-Fa-f]{2}\\u[Dd][C-Fc-f][0-9A-Fa-f]{2}|x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}|c[A-Za-z]|.)/su;
const STEPS_MAX = 2000;
const REPEATS_MAX = 100;

/** A pattern that cannot be used. The message gives the reason in plain words. */
export class UnsupportedPattern extends Error {}

export interface Program {
  readonly steps: readonly Step[];
  /** Number of capturing groups. */
  readonly groups: number;
  /** The name of each group, '' for one without. */
  readonly groupNames: readonly string[];
}

/**
 * Compiles a valid JavaScript regular expression without flags.
 *
 * @throws UnsupportedPattern for look-arounds (see `splitLookArounds`) and back references, which need more than one pass
 * over the text, and for too many repetitions.
 */
export function compileProgram(source: string, reading: Reading = 'either'): Program {
  const compiler = new Compiler(source, reading);
  compiler.alternatives();
  return { steps: [...compiler.steps, { kind: 'match' }], groups: compiler.groups, groupNames: compiler.groupNames };
}

/** Reads a pattern from left to right and appends its steps. */
class Compiler {
  readonly steps: Step[] = [];
  groups = 0;
  readonly groupNames: string[] = [];
  readonly #source: string;
  readonly #reading: Reading;
  #at = 0;

  constructor(source: string, reading: Reading) {
    this.#source = source;
    this.#reading = reading;
  }

  /** Compiles `a|b|c`, up to a closing parenthesis or the end. */
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
      this.#write({ kind: 'assert', assertion: char, reading: this.#reading });
    } else if (/^\\[bB]/.test(this.#source.slice(this.#at, this.#at + 2))) {
      const assertion = this.#source[this.#at + 1] === 'b' ? 'b' : 'B';
      this.#write({ kind: 'assert', assertion, reading: this.#reading });
      this.#at += 2;
    } else this.#write({ kind: 'take', set: new CharacterSet(this.#character(char), this.#reading) });
  }

  /** The text of one atom that matches a character. */
  #character(char: string): string {
    const start = this.#at;
    if (char === '[') {
      this.#at += 1;
      while (this.#source[this.#at] !== ']') this.#at += this.#source[this.#at] === '\\' ? 2 : 1;
      this.#at += 1;
    } else if (char === '\\') {
      const remaining = this.#source.slice(start);
      if (/^\\[1-9k]/.test(remaining)) throw new UnsupportedPattern('it contains a back reference');
      this.#at += ESCAPE.exec(remaining)?.[0].length ?? 1;
    } else this.#at += String.fromCodePoint(this.#source.codePointAt(start) as number).length;
    return this.#source.slice(start, this.#at);
  }

  #group(): void {
    const kind = /^\((?:\?(?::|<(?![=!])[^>]*>)?)?/.exec(this.#source.slice(this.#at))?.[0] as string;
    if (kind === '(?') throw new UnsupportedPattern('it has a look-around inside a group, or changes flags');
    this.#at += kind.length;
    const captures = kind !== '(?:';
    if (captures) {
      this.groups += 1;
      this.groupNames.push(kind.slice(3, -1));
    }
    const slot = this.groups * 2;
    if (captures) this.#write({ kind: 'save', slot });
    this.alternatives();
    if (captures) this.#write({ kind: 'save', slot: slot + 1 });
    this.#at += 1;
  }

  #quantifier(start: number, groupsBefore: number): void {
    const match = /^(?:[*+?]|\{(\d+)(,(\d*))?\})(\??)/.exec(this.#source.slice(this.#at));
    if (match === null) return;
    const [text, low, comma, high, lazy] = match;
    this.#at += text.length;
    const min = low === undefined ? (text[0] === '+' ? 1 : 0) : Number(low);
    const most = low === undefined ? (text[0] === '?' ? 1 : -1) : high ? Number(high) : comma ? -1 : min;
    if (min > REPEATS_MAX || most > REPEATS_MAX)
      throw new UnsupportedPattern(`it repeats something more than ${REPEATS_MAX} times`);
    const body = this.#cut(start);
    const clear: Step = { kind: 'clear', from: groupsBefore * 2 + 2, end: this.groups * 2 + 2 };
    const appendOnce = () => {
      if (this.groups > groupsBefore) this.#write(clear);
      this.#append(body, start, this.steps.length);
    };
    for (let i = 0; i < min; i += 1) appendOnce();
    if (most < 0) this.#loop(appendOnce, lazy === '?');
    const optional: { split: Step; at: number }[] = [];
    for (let i = min; i < most; i += 1) {
      const split: Step = { kind: 'split', at: 0, to: 0 };
      optional.push({ split, at: this.steps.length + 1 });
      this.#write(split);
      appendOnce();
    }
    for (const { split, at } of optional) point(split, at, this.steps.length, lazy === '?');
  }

  #loop(appendOnce: () => void, lazy: boolean): void {
    const start = this.steps.length;
    const split: Step = { kind: 'split', at: 0, to: 0 };
    this.#write(split);
    appendOnce();
    this.#write({ kind: 'jump', at: start });
    point(split, start + 1, this.steps.length, lazy);
  }

  #cut(start: number): Step[] {
    return this.steps.splice(start);
  }

  /** Appends steps that were compiled at index `from` again at index `to`. */
  #append(steps: readonly Step[], from: number, to: number): void {
    const by = to - from;
    for (const step of steps) {
      if (step.kind === 'split') this.#write({ kind: 'split', at: step.at + by, to: step.to + by });
      else if (step.kind === 'jump') this.#write({ kind: 'jump', at: step.at + by });
      else this.#write(step);
    }
  }

  #write(step: Step): void {
    if (this.steps.length >= STEPS_MAX) throw new UnsupportedPattern('its repetitions make it too large');
    this.steps.push(step);
  }
}

function point(split: Step, inside: number, after: number, lazy: boolean): void {
  if (split.kind !== 'split') return;
  split.at = lazy ? after : inside;
  split.to = lazy ? inside : after;
}
