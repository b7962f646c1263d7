import { ViaductError } from '../errors.ts';
import { compileProgram, PatternRefused, type Program } from './pattern-program.ts';

/**
 * A regular expression as an administrator writes it, in JavaScript's syntax, for text that a stranger sends. It is matched without
 * backtracking: all ways to match go over the text side by side (Thompson's construction, with captures after Pike), so that a match costs
 * at most the length of the text times that of the pattern, whatever both are. Hence no look-around and no back references. Text is ASCII, as
 * paths and queries are; other characters match nothing.
 */
export class Pattern {
  readonly source: string;
  readonly #program: Program;

  /**
   * Compiles `source`; `setting` says where it stands.
   *
   * @throws ViaductError `SETTINGS` for what is no regular expression, or one with more than this can do.
   */
  constructor(source: string, setting: string) {
    this.source = source;
    try {
      new RegExp(source);
      this.#program = compileProgram(source);
    } catch (error) {
      const state = error instanceof PatternRefused ? error.message : 'it is no regular expression';
      throw new ViaductError('SETTINGS', `Cannot use ${setting} ${JSON.stringify(source)}: ${state}`, {
        advice: 'Write a regular expression without look-around and back references.',
        cause: error,
      });
    }
  }

  /** Number of capturing groups. */
  get groups(): number {
    return this.#program.groups;
  }

  /** The groups of the first match in `text`, from the first on, '' for one that took no part; null when nothing matches. */
  match(text: string): string[] | null {
    const slots = run(this.#program, text);
    if (slots === null) return null;
    const groups: string[] = [];
    for (let slot = 2; slot < this.groups * 2 + 2; slot += 2) {
      const start = slots[slot] as number;
      groups.push(start < 0 ? '' : text.slice(start, slots[slot + 1]));
    }
    return groups;
  }
}

/** A way to match that got to the step `at` with these captures. */
interface Thread {
  readonly at: number;
  readonly slots: Int32Array;
}

function run(program: Program, text: string): Int32Array | null {
  const { steps } = program;
  const seen = new Int32Array(steps.length).fill(-1);
  let threads: Thread[] = [];
  let found: Int32Array | null = null;
  for (let position = 0; position <= text.length; position += 1) {
    // threads of this position were followed up to it already; a later beginning is worth less than all of them
    if (found === null) follow(program, text, position, { at: 0, slots: emptySlots(program) }, seen, threads);
    if (threads.length === 0 && found !== null) break;
    const next: Thread[] = [];
    for (const { at, slots } of threads) {
      const step = steps[at];
      if (step?.kind === 'match') {
        found = slots;
        break;
      }
      const code = text.charCodeAt(position);
      if (step?.kind === 'take' && step.table[code] === 1)
        follow(program, text, position + 1, { at: at + 1, slots }, seen, next);
    }
    threads = next;
  }
  return found;
}

function emptySlots({ groups }: Program): Int32Array {
  return new Int32Array(groups * 2 + 2).fill(-1);
}

/** Adds to `threads`, in order of preference, each step that takes a character and is reached from `from` at `position`. */
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
      if (holds(step.what, text, position)) waiting.push({ at: at + 1, slots });
    } else threads.push(thread);
  }
}

function holds(what: '^' | '$' | 'b' | 'B', text: string, position: number): boolean {
  if (what === '^') return position === 0;
  if (what === '$') return position === text.length;
  const isBoundary = isWord(text, position - 1) !== isWord(text, position);
  return isBoundary === (what === 'b');
}

function isWord(text: string, at: number): boolean {
  return /^\w$/.test(text.charAt(at));
}
