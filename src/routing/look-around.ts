import { UnsupportedPattern } from './pattern-program.ts';

/** A pattern without look-arounds, and those as patterns of their own for the same text. */
export interface SplitPattern {
  readonly source: string;
  readonly conditions: readonly LookAround[];
}

export interface LookAround {
  readonly source: string;
  /** Whether the text must match; if not, it must not. */
  readonly isWanted: boolean;
}

/** One atom outside of all groups, a whole group, or a quantifier. */
const TOKEN =
  /(?<look>\(\?<?[=!])|(?<group>\()|(?<quantifier>[*+?]\??|\{\d+(?:,\d*)?\}\??)|\[(?:\\.|[^\]\\])*\]|\\.|./gsuy;
const EXACTLY = /^\{(\d+)(?:,\1)?\}/;

/**
 * Takes the look-arounds out of a valid regular expression, where they stand for a second pattern: a look-ahead behind `^` and characters of a fixed number, as in
 * `^/(?!static/)(.*)$`, and a look-behind before the final `$`, as in `^(.*)(?<!\.php)$`. Both are then at a place that does not depend on how the rest matches.
 *
 * @throws UnsupportedPattern for look-arounds at other places
 */
export function splitLookArounds(source: string): SplitPattern {
  const conditions: LookAround[] = [];
  let kept = '';
  let isFixed = source.startsWith('^');
  let hasAlternatives = false;
  for (let at = 0; at < source.length; ) {
    TOKEN.lastIndex = at;
    const { 0: token = '', groups: kind = {} } = TOKEN.exec(source) as RegExpExecArray;
    const isGroup = kind.look !== undefined || kind.group !== undefined;
    const end = isGroup ? groupEnd(source, at) : at + token.length;
    const text = source.slice(at, end);
    at = end;
    if (kind.look === undefined) {
      kept += text;
      hasAlternatives ||= text === '|';
      if (kind.group !== undefined || (kind.quantifier !== undefined && !EXACTLY.test(text))) isFixed = false;
      continue;
    }
    const inner = `(?:${text.slice(token.length)}`;
    const isWanted = token.endsWith('=');
    if (/^(?:[*+?]|\{\d)/.test(source.slice(at))) throw new UnsupportedPattern('it repeats a look-around');
    if (!token.includes('<')) {
      if (!isFixed)
        throw new UnsupportedPattern('it has a look-ahead that is not behind ^ and characters of a fixed number');
      conditions.push({ source: kept + inner, isWanted });
    } else {
      if (source.slice(at) !== '$') throw new UnsupportedPattern('it has a look-behind that is not before the final $');
      conditions.push({ source: `${inner}$`, isWanted });
    }
  }
  if (hasAlternatives && conditions.length > 0)
    throw new UnsupportedPattern('it has a look-around beside alternatives');
  return { source: kept, conditions };
}

/** The index behind the group that starts at `start`. */
function groupEnd(source: string, start: number): number {
  const inside = /\[(?:\\.|[^\]\\])*\]|\\.|[()]/gsu;
  inside.lastIndex = start;
  let depth = 0;
  for (let match = inside.exec(source); match !== null; match = inside.exec(source)) {
    if (match[0] === '(') depth += 1;
    else if (match[0] === ')') depth -= 1;
    if (depth === 0) return inside.lastIndex;
  }
  return source.length;
}
