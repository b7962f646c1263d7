import { refused } from '../refused.ts';

/** A line of a configuration without its continuations. */
export interface Line {
  readonly line: number;
  readonly text: string;
}

/** The lines that are not blank and not comments. A backslash at the end of a line continues it. */
export function linesOf(text: string): Line[] {
  const lines: Line[] = [];
  let start = 0;
  let held = '';
  for (const [index, raw] of text.split(/\r?\n/).entries()) {
    if (held === '') start = index + 1;
    const isContinued = raw.endsWith('\\');
    held += isContinued ? raw.slice(0, -1) : raw;
    if (isContinued) continue;
    const plain = held.trim();
    if (plain !== '' && !plain.startsWith('#')) lines.push({ line: start, text: plain });
    held = '';
  }
  return lines;
}

/**
 * The words of a line. Quotes hold words together, and a backslash in them escapes the quote.
 *
 * @throws ViaductError `SETTINGS` for a quote that does not end
 */
export function wordsOf({ text, line }: Line, file: string): string[] {
  const words: string[] = [];
  for (let rest = text.trimStart(); rest !== ''; rest = rest.trimStart()) {
    const quote = rest.charAt(0);
    if (quote !== '"' && quote !== "'") {
      const [word = ''] = /^\S+/.exec(rest) ?? [];
      words.push(word);
      rest = rest.slice(word.length);
      continue;
    }
    const match = (quote === '"' ? /^"((?:\\.|[^"\\])*)"/ : /^'((?:\\.|[^'\\])*)'/).exec(rest);
    if (match === null) throw refused({ file, line }, `a quote does not end: ${rest.slice(0, 40)}`);
    words.push((match[1] ?? '').replaceAll(`\\${quote}`, quote));
    rest = rest.slice(match[0].length);
  }
  return words;
}
