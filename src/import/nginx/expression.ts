import { Pattern } from '../../routing/pattern.ts';

/** A regular expression for Viaduct with the names of its groups ('' for a group without a name), or why it has no counterpart. */
export type Expression = { readonly source: string; readonly groups: readonly string[] } | { readonly wrong: string };

/** Converts a PCRE expression to JavaScript's syntax. Viaduct matches it without backtracking. */
export function expressionOf(pcre: string, ignoresCase: boolean): Expression {
  const inline = /^\(\?i\)/.test(pcre);
  const plain = pcre
    .replace(/^\(\?i\)/, '')
    .replaceAll('(?P<', '(?<')
    .replaceAll('\\A', '^')
    .replace(/\\z$|\\Z$/i, '$')
    .replace(FINAL_LOOK_AHEAD, (_, texts: string) => notStartingWith(texts.split('|').map(unescaped)));
  if (/\(\?(?:[>|#&+-]|[a-zA-Z]+[:)])/.test(plain)) return { wrong: 'patterns have no modes within' };
  if (/\\[1-9]|\\k</.test(plain)) return { wrong: 'patterns have no back references' };
  if (/[*+?}]\+|\[\[:|\\[RKQEGXhHV]/.test(plain)) return { wrong: 'this syntax is not in JavaScript' };
  if (/[^\x20-\x7e]/.test(plain)) return { wrong: 'patterns are compared with ASCII text only' };
  const groups = [...plain.matchAll(/\\.|\[(?:\\.|[^\]\\])*\]|\((?:\?<(\w+)>|(?!\?))/g)]
    .filter(([found]) => found.startsWith('('))
    .map(([, name = '']) => name);
  const unnamed = plain.replace(/\\.|\(\?<\w+>/g, (found) => (found.startsWith('(') ? '(' : found));
  const source = ignoresCase || inline ? withBothCases(unnamed) : unnamed;
  try {
    new RegExp(source);
  } catch {
    return { wrong: 'it is not a regular expression of JavaScript' };
  }
  try {
    new Pattern(source, 'pattern');
  } catch {
    return { wrong: 'it has a look-around or a repetition that Viaduct cannot match in one pass' };
  }
  // an empty pattern matches everything
  return { source: source === '' ? '^' : source, groups };
}

/** `(?!well-known|robots\.txt)` at the end of an expression. */
const FINAL_LOOK_AHEAD = /\(\?!((?:[\w/-]|\\[./-])+(?:\|(?:[\w/-]|\\[./-])+)*)\)$/;

function unescaped(text: string): string {
  return text.replaceAll('\\', '');
}

/** An expression for what does not start with any of the texts: the end, or another character than each of them has next. */
function notStartingWith(texts: readonly string[]): string {
  const next = [...new Set(texts.map((text) => text.charAt(0)))];
  const further = next.map((char) => {
    const rests = texts.filter((text) => text.startsWith(char)).map((text) => text.slice(1));
    return rests.includes('') ? '' : `|${literal(char)}${notStartingWith(rests)}`;
  });
  return `(?:$|[^${next.map((char) => (char === '-' ? '\\-' : char)).join('')}]${further.join('')})`;
}

/** Makes an expression ignore case. Viaduct has no such flag, so each letter becomes a class of both cases. */
function withBothCases(source: string): string {
  return source.replace(/\\.|\[(?:\\.|[^\]\\])*\]|\(\?:|[A-Za-z]/g, (found) => {
    if (found.length === 1) return `[${found.toLowerCase()}${found.toUpperCase()}]`;
    return found.startsWith('[') ? classWithBothCases(found) : found;
  });
}

function classWithBothCases(found: string): string {
  const inner = found.slice(1, -1);
  const added = [...inner.matchAll(/\\.|[a-z]-[a-z]|[A-Z]-[A-Z]|[A-Za-z]/g)].map(([all]) =>
    all.startsWith('\\') ? '' : swapped(all),
  );
  // after a final hyphen they would form a range
  return `[${inner.startsWith('^') ? '^' : ''}${[...new Set(added)].join('')}${inner.replace(/^\^/, '')}]`;
}

function swapped(text: string): string {
  return text === text.toLowerCase() ? text.toUpperCase() : text.toLowerCase();
}

/** An expression that matches exactly this text. */
export function literal(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}
