import type { EarlierException, Frame, Raise } from '../../src/trace/document.ts';

/** A frame of its own, or several of libraries in a row. `at` is the index of the first one. `shows`: with its variables. */
export type FramePart =
  | { readonly at: number; readonly frame: Frame; readonly open: boolean; readonly shows: boolean }
  | { readonly at: number; readonly library: readonly Frame[]; readonly names: readonly string[] };

/** As many in a row become one line. */
const LIBRARY_MIN = 2;

/**
 * The frames of an exception as they are shown: those of the project open, those of libraries together. The last one, where the exception was
 * raised, stands alone, and is open if no frame is the project's. The innermost frame that is open shows its variables. In a recursion, only the
 * outermost and the innermost call of a line are open.
 */
export function framesOf(frames: readonly Frame[]): readonly FramePart[] {
  const last = frames.length - 1;
  const inner = frames.findLastIndex(({ isProject }) => isProject);
  const shown = inner < 0 ? last : inner;
  const parts: FramePart[] = [];
  for (let at = 0; at < frames.length; ) {
    let end = at;
    while (end < last && frames[end]?.isProject === false) end += 1;
    if (end - at >= LIBRARY_MIN) {
      const library = frames.slice(at, end);
      parts.push({ at, library, names: [...new Set(library.map(({ file }) => packageOf(file)))] });
      at = end;
      continue;
    }
    const frame = frames[at] as Frame;
    const isRepeated = isSameLine(frame, frames[at - 1]) && isSameLine(frame, frames[at + 1]);
    parts.push({ at, frame, open: (frame.isProject && !isRepeated) || at === shown, shows: at === shown });
    at += 1;
  }
  return parts;
}

function isSameLine(frame: Frame, other: Frame | undefined): boolean {
  return frame.file === other?.file && frame.line === other.line;
}

/** The name of the package that a file belongs to: `django`; that of the file itself for the standard library. */
export function packageOf(file: string): string {
  const [, inner] = /\/(?:site-packages|dist-packages|node_modules)\/((?:@[^/]+\/)?[^/]+)/.exec(file) ?? [];
  const name = inner ?? file.slice(file.lastIndexOf('/') + 1);
  return name.replace(/\.(?:py|[cm]?[jt]s)$/, '');
}

/** What led to an exception directly. `index` is that in the chain. */
interface LedTo {
  readonly members: readonly { readonly index: number; readonly earlier: EarlierException }[];
  /** A cause or a context. */
  readonly others: LedTo['members'];
  /** How many members of the group were not recorded. */
  readonly left: number;
}

/** `at` is the index of `raise` in `chain`, -1 for the last exception. */
export function ledTo(raise: Raise, at: number, chain: readonly EarlierException[]): LedTo {
  const found = chain.flatMap((earlier, index) => (earlier.of === at ? [{ index, earlier }] : []));
  const members = found.filter(({ earlier }) => earlier.relation === 'member');
  const others = found.filter(({ earlier }) => earlier.relation !== 'member');
  return { members, others, left: raise.members - members.length };
}

/** A line of source in three parts, of which the second one is meant. That one is '' if the columns are not in the line. */
export function markedParts(text: string, columns: Frame['columns']): readonly [string, string, string] {
  if (columns === null) return [text, '', ''];
  const letters = [...text]; // Python counts characters, and JavaScript halves of them
  const [from, to] = columns;
  const part = (start: number, end?: number): string => letters.slice(start, end).join('');
  return [part(0, from), part(from, to), part(to)];
}
