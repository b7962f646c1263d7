/** A short text that a pattern matches, for the patterns that people write; null if none was found. `start` is what it should start with. */
export function exampleOf(regex: RegExp, start = ''): string | null {
  const { source } = regex;
  const isAnchored = source.startsWith('^');
  const body = read(tokensOf(source.replace(/^\^/, '')));
  const candidates = [body, `${start}${body}`, `${start}x${body}`, `/${body}`, `/x${body}`, `${start}/${body}`];
  const texts = isAnchored ? [body, `${body}x`, `${body}/x`] : candidates;
  return texts.find((text) => regex.test(text)) ?? null;
}

const TOKEN = /\(\?(?:[:=!]|<[=!]|<\w+>)|\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\{\d+(?:,\d*)?\}|[\s\S]/g;

function tokensOf(source: string): string[] {
  return source.match(TOKEN) ?? [];
}

/** The first alternative of each group; each repetition once, or not at all where it may be missing. */
function read(tokens: readonly string[]): string {
  const state = { at: 0 };
  return readAlternatives(tokens, state);
}

function readAlternatives(tokens: readonly string[], state: { at: number }): string {
  let text = '';
  let first: string | null = null;
  while (state.at < tokens.length) {
    const token = tokens[state.at] as string;
    state.at += 1;
    if (token === ')') break;
    if (token === '|') {
      first ??= text;
      text = '';
      continue;
    }
    const isGroup = token.startsWith('(');
    const inner = isGroup ? readAlternatives(tokens, state) : characterFor(token);
    const one = /^\(\?<?[=!]/.test(token) ? '' : inner;
    text += one + repeated(one, tokens[state.at] ?? '', state);
  }
  return first ?? text;
}

/** What a quantifier adds to the text that stands before it once. */
function repeated(text: string, quantifier: string, state: { at: number }): string {
  if (!/^(?:[*+?]|\{\d)/.test(quantifier)) return '';
  state.at += 1;
  const least = Number(/^\{(\d+)/.exec(quantifier)?.[1] ?? 1);
  return text.repeat(Math.max(0, Math.min(least, 64) - 1));
}

const ESCAPES: Readonly<Record<string, string>> = {
  d: '1',
  w: 'a',
  s: ' ',
  D: 'a',
  W: '-',
  S: 'a',
  b: '',
  B: '',
  n: '\n',
};

function characterFor(token: string): string {
  if (token === '^' || token === '$') return '';
  if (token === '.') return 'a';
  if (token.startsWith('\\')) return ESCAPES[token[1] as string] ?? (token[1] as string);
  if (!token.startsWith('[') || token.length === 1) return token;
  const set = new RegExp(token);
  return ['a', '1', 'A', '-', '_', '.', '/', 'z'].find((character) => set.test(character)) ?? '';
}
