import { ViaductError } from '../errors.ts';
import { type LookAround, splitLookArounds } from './look-around.ts';
import { PatternAutomaton } from './pattern-automaton.ts';
import { compileProgram, type Program, type Step, UnsupportedPattern } from './pattern-program.ts';

/**
 * A regular expression from the configuration, in JavaScript's syntax, for untrusted text. It is matched without
 * backtracking: all alternatives advance through the text in parallel (Thompson's construction, with captures after
 * Pike). A match therefore costs at most the length of the text times the length of the pattern, and `test` costs only the length of the text (`PatternAutomaton`). This excludes
 * back references, and look-arounds except those that `splitLookArounds` makes patterns of their own. `CharacterSet` defines what a class matches outside ASCII. A line break is an
 * ordinary character: `.` matches it, and `^` and `$` match only at the two ends of the text.
 */
export class Pattern {
  readonly source: string;
  readonly #program: Program;
  readonly #automaton: PatternAutomaton;
  readonly #conditions: readonly Condition[];

  /**
   * Compiles `source`; `setting` is the name of the setting, for the error.
   *
   * @throws ViaductError `SETTINGS` for an invalid or unsupported regular expression.
   */
  constructor(source: string, setting: string) {
    this.source = source;
    try {
      new RegExp(source);
      const split = splitLookArounds(source);
      this.#program = compileProgram(split.source);
      this.#automaton = new PatternAutomaton(this.#program);
      this.#conditions = split.conditions.map(compileCondition);
    } catch (error) {
      const state = error instanceof UnsupportedPattern ? error.message : 'it is not a valid regular expression';
      throw new ViaductError('SETTINGS', `Cannot use ${setting} ${JSON.stringify(source)}: ${state}`, {
        advice:
          'Use a regular expression without back references. A look-ahead can be behind ^, a look-behind before $.',
        cause: error,
      });
    }
  }

  /** Number of capturing groups. */
  get groups(): number {
    return this.#program.groups;
  }

  /** The name of each capturing group, '' for one without. */
  get groupNames(): readonly string[] {
    return this.#program.groupNames;
  }

  /**
   * The captures of the first match in `text`, from group 1 on, '' for a group that did not take part; null without a
   * match.
   */
  match(text: string): string[] | null {
    if (!this.test(text)) return null;
    if (this.groups === 0) return [];
    const slots = run(this.#program, text) as Int32Array;
    const groups: string[] = [];
    for (let slot = 2; slot < this.groups * 2 + 2; slot += 2) {
      const start = slots[slot] as number;
      groups.push(start < 0 ? '' : text.slice(start, slots[slot + 1]));
    }
    return groups;
  }

  /** Whether `text` has a match. This is faster than `match`. */
  test(text: string): boolean {
    for (const { automaton, isWanted } of this.#conditions) {
      if (automaton.test(text) !== isWanted) return false;
    }
    return this.#automaton.test(text);
  }
}

interface Condition {
  readonly automaton: PatternAutomaton;
  readonly isWanted: boolean;
}

/** A pattern that must not match has only what JavaScript and Python both match. So the whole covers what either of them matches. */
function compileCondition({ source, isWanted }: LookAround): Condition {
  const program = compileProgram(source, isWanted ? 'either' : 'both');
  if (program.groups > 0) throw new UnsupportedPattern('it has a group that captures inside a look-around');
  return { automaton: new PatternAutomaton(program), isWanted };
}

type Assertion = Extract<Step, { readonly kind: 'assert' }>;

/** A partial match that has reached step `at`, with its captures. */
interface Thread {
  readonly at: number;
  readonly slots: Int32Array;
}

/** The last character that is one unit of a JavaScript string. */
const BMP_MAX = 0xffff;
/** The code at the end of the text. */
const END = -1;

function run(program: Program, text: string): Int32Array | null {
  const { steps } = program;
  const seen = new Int32Array(steps.length).fill(-1);
  let threads: Thread[] = [];
  let match: Int32Array | null = null;
  for (let position = 0, after = 0; position <= text.length; position = after) {
    const code = text.codePointAt(position) ?? END;
    after += code > BMP_MAX ? LONGEST : 1;
    // The threads of this position have already been followed up to it. A later start has a lower priority than all of
    // them.
    if (match === null) follow(program, text, position, { at: 0, slots: emptySlots(program) }, seen, threads);
    if (threads.length === 0 && match !== null) break;
    const next: Thread[] = [];
    for (const { at, slots } of threads) {
      const step = steps[at];
      if (step?.kind === 'match') {
        match = slots;
        break;
      }
      if (step?.kind === 'take' && code !== END && step.set.has(code))
        follow(program, text, after, { at: at + 1, slots }, seen, next);
    }
    threads = next;
  }
  return match;
}

function emptySlots({ groups }: Program): Int32Array {
  return new Int32Array(groups * 2 + 2).fill(-1);
}

/** Adds each consuming step that is reachable from `from` at `position` to `threads`, in order of preference. */
function follow(
  program: Program,
  text: string,
  position: number,
  from: Thread,
  seen: Int32Array,
  threads: Thread[],
): void {
  const waiting = [from];
  for (let thread = waiting.pop(); thread !== undefined; thread = waiting.pop()) {
    const { at, slots } = thread;
    if (seen[at] === position) continue;
    seen[at] = position;
    const step = program.steps[at];
    if (step === undefined) continue;
    if (step.kind === 'jump') waiting.push({ at: step.at, slots });
    else if (step.kind === 'split') waiting.push({ at: step.to, slots }, { at: step.at, slots });
    else if (step.kind === 'save') waiting.push({ at: at + 1, slots: slots.with(step.slot, position) });
    else if (step.kind === 'clear') waiting.push({ at: at + 1, slots: slots.slice().fill(-1, step.from, step.end) });
    else if (step.kind === 'assert') {
      if (holds(step, text, position)) waiting.push({ at: at + 1, slots });
    } else threads.push(thread);
  }
}

/** A boundary of a word: JavaScript's and Python's words differ outside ASCII. */
function holds({ assertion, reading }: Assertion, text: string, position: number): boolean {
  if (assertion === '^') return position === 0;
  if (assertion === '$') return position === text.length;
  const before = text.slice(Math.max(0, position - LONGEST), position);
  const after = text.slice(position, position + LONGEST);
  const holdsFor = ({ end, start }: (typeof WORDS)[number]) =>
    (end.test(before) !== start.test(after)) === (assertion === 'b');
  return reading === 'either' ? WORDS.some(holdsFor) : WORDS.every(holdsFor);
}

/** The length of the longest character in a JavaScript string. */
const LONGEST = 2;
const WORDS = ['\\w', '[\\p{L}\\p{N}\\p{Cn}_]'].map((character) => ({
  end: new RegExp(`${character}$`, 'u'),
  start: new RegExp(`^${character}`, 'u'),
}));
