/** A PCRE pattern of a configuration. `regex` is null where JavaScript lacks its syntax, and `wrong` then says what. */
export type Pattern =
  | {
      readonly source: string;
      readonly regex: RegExp;
      readonly groups: number;
      readonly names: readonly string[];
      readonly wrong: null;
    }
  | { readonly source: string; readonly regex: null; readonly names: readonly string[]; readonly wrong: string };

/** Syntax of PCRE that JavaScript lacks or understands otherwise. */
const FOREIGN: readonly (readonly [RegExp, string])[] = [
  [/\(\?(?:>|\||[a-zA-Z^-]+[:)]|[R&0-9+-]|\(|P[>=]|#)/, 'a group that JavaScript lacks'],
  [/\[\[:\^?\w+:\]/, 'a POSIX class'],
  [/\\[RKQEGXhHvVNCpPaelou0gkc]|\\x\{/, 'an escape that JavaScript lacks'],
  [/\\[1-9]/, 'a back reference'],
];

const POSSESSIVE = /(?:[*+?]|\{\d+(?:,\d*)?\})\+/;

/** Converts a pattern, whose matches are those of nginx for strings of bytes. */
export function parsePattern(source: string, ignoresCase: boolean): Pattern {
  const inline = /^\(\?i\)/.exec(source);
  const body = source.slice(inline?.[0].length ?? 0).replaceAll('(?P<', '(?<');
  const names = [...body.matchAll(/\(\?<(\w+)>/g)].map(([, name]) => name as string);
  // an escaped backslash is not the start of an escape
  const bare = body.replaceAll('\\\\', '  ');
  const foreign = FOREIGN.find(([syntax]) => syntax.test(bare));
  if (POSSESSIVE.test(body.replace(TOKEN, (token) => (token.length > 1 ? 'x' : token))))
    return { source, regex: null, names, wrong: 'a possessive quantifier' };
  if (foreign !== undefined) return { source, regex: null, names, wrong: foreign[1] };
  try {
    const regex = new RegExp(converted(body), ignoresCase || inline !== null ? 'i' : '');
    return { source, regex, names, groups: countGroups(body), wrong: null };
  } catch {
    return { source, regex: null, names, wrong: 'a syntax that JavaScript lacks' };
  }
}

const TOKEN = /\\[\s\S]|\[\^?\]?(?:\\[\s\S]|[^\]\\])*\]|[\s\S]/g;

/** PCRE's `$` also matches before a last line feed, `.` matches all but a line feed, `\s` is ASCII only. */
function converted(body: string): string {
  return body.replace(TOKEN, (token) => {
    if (token === '$' || token === '\\Z') return '(?=\\n?$(?!\\n))';
    if (token === '\\z') return '$(?!\\n)';
    if (token === '\\A') return '^';
    if (token === '.') return '[^\\n]';
    if (token === '\\s') return '[\\t-\\r ]';
    if (token === '\\S') return '[^\\t-\\r ]';
    return token.length > 1 && token.startsWith('[') ? convertedClass(token) : token;
  });
}

/** A bracket directly after the start of a class is an ordinary character in PCRE. */
function convertedClass(token: string): string {
  return token
    .replace(/^\[(\^?)\](?=.*\])/, '[$1\\]')
    .replace(/\\[\s\S]/g, (pair) => (pair === '\\s' ? '\\t-\\r ' : pair));
}

function countGroups(body: string): number {
  return (body.match(TOKEN) ?? []).reduce(
    ({ count, rest }, token) => {
      const isGroup = token === '(' && (!rest.startsWith('(?') || /^\(\?<\w/.test(rest));
      return { count: count + (isGroup ? 1 : 0), rest: rest.slice(token.length) };
    },
    { count: 0, rest: body },
  ).count;
}
