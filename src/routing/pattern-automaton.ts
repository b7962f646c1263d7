import type { Program, Step } from './pattern-program.ts';

type Assertion = Extract<Step, { readonly kind: 'assert' }>;

/** All partial matches at one position of a text. */
interface State {
  /** The steps where they stand, in ascending order. Assertions are not yet tested, because they need the next character. */
  readonly steps: readonly number[];
  /** What is before the position: `START`, or the bits of `wordBits`. */
  readonly before: number;
  /** The state behind the next character, by its code point; null if the text matches whatever follows. */
  readonly next: Map<number, State | null>;
}

/** What is before the first character. It has no bit of `WORD_BITS`. */
const START = 4;
/** The code at the end of a text. */
const END = -1;
const ASCII_MAX = 0x7f;
/** Stands for all characters outside ASCII. */
const OTHER = 0x80;
/** A limit for the memory of one pattern, in steps of states and transitions. Clients choose the texts. */
const REMEMBERED_MAX = 50_000;

/**
 * Says whether a text matches. The states of a pattern are computed when a text needs them, and are remembered (the lazy subset construction). So a character costs
 * one look-up, no matter how many alternatives the pattern has, while `Pattern.match` follows each of them.
 */
export class PatternAutomaton {
  readonly #program: Program;
  /** Whether a match can only start with the text. */
  readonly #isAnchored: boolean;
  /** Whether all characters outside ASCII are the same for the pattern. */
  readonly #isAscii: boolean;
  readonly #states = new Map<string, State>();
  #remembered = 0;

  constructor(program: Program) {
    this.#program = program;
    const [first] = program.steps;
    this.#isAscii = program.steps.every(
      (step) => (step.kind !== 'take' || step.set.isAscii) && (step.kind !== 'assert' || /[$^]/.test(step.assertion)),
    );
    this.#isAnchored = first?.kind === 'assert' && first.assertion === '^';
  }

  test(text: string): boolean {
    let state = this.#stateOf([0], START);
    for (let at = 0; at < text.length; at += 1) {
      const code = text.codePointAt(at) as number;
      if (code > 0xffff) at += 1;
      const next = this.#after(state, code > ASCII_MAX && this.#isAscii ? OTHER : code);
      if (next === null) return true;
      if (next.steps.length === 0) return false;
      state = next;
    }
    return this.#after(state, END) === null;
  }

  #after(state: State, code: number): State | null {
    const known = state.next.get(code);
    if (known !== undefined) return known;
    const next = this.#follow(state, code);
    this.#remember(1);
    state.next.set(code, next);
    return next;
  }

  #follow({ steps, before }: State, code: number): State | null {
    const all = this.#program.steps;
    const after = code === END ? 0 : wordBits(code);
    const seen = new Uint8Array(all.length);
    const reached = this.#isAnchored ? [] : [0];
    const waiting = [...steps];
    for (let at = waiting.pop(); at !== undefined; at = waiting.pop()) {
      const step = all[at];
      if (step === undefined || seen[at] === 1) continue;
      seen[at] = 1;
      if (step.kind === 'match') return null;
      if (step.kind === 'take') {
        if (code !== END && step.set.has(code)) reached.push(at + 1);
      } else if (step.kind === 'jump') waiting.push(step.at);
      else if (step.kind === 'split') waiting.push(step.at, step.to);
      else if (step.kind !== 'assert' || holds(step, before, after, code === END)) waiting.push(at + 1);
    }
    return this.#stateOf(
      reached.sort((a, b) => a - b),
      after,
    );
  }

  #stateOf(steps: readonly number[], before: number): State {
    const key = `${before} ${steps.join()}`;
    const known = this.#states.get(key);
    if (known !== undefined) return known;
    this.#remember(steps.length + 1);
    const state: State = { steps, before, next: new Map() };
    this.#states.set(key, state);
    return state;
  }

  #remember(count: number): void {
    this.#remembered += count;
    if (this.#remembered <= REMEMBERED_MAX) return;
    for (const { next } of this.#states.values()) next.clear();
    this.#states.clear();
    this.#remembered = count;
  }
}

function holds({ assertion, reading }: Assertion, before: number, after: number, isEnd: boolean): boolean {
  if (assertion === '^') return before === START;
  if (assertion === '$') return isEnd;
  const holdsFor = (bit: number) => ((before & bit) !== (after & bit)) === (assertion === 'b');
  return reading === 'either' ? WORD_BITS.some(holdsFor) : WORD_BITS.every(holdsFor);
}

/** Whether a character belongs to a word for JavaScript, and for Python. */
const WORD_BITS = [1, 2] as const;

function wordBits(code: number): number {
  const character = String.fromCodePoint(code);
  return (/^\w/.test(character) ? 1 : 0) | (/^[\p{L}\p{N}\p{Cn}_]/u.test(character) ? 2 : 0);
}
