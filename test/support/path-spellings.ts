import { createRandom } from './random.ts';

/** One request, as a client writes it: latin-1, not necessarily valid. */
export interface Spelling {
  readonly method: string;
  /** In origin-form, absolute-form or asterisk-form, with a query if it has one. */
  readonly target: string;
  /** Null for a request of HTTP/1.0 without Host, or of HTTP/2 without `:authority`. */
  readonly host: string | null;
  /** Further fields. */
  readonly fields: readonly (readonly [name: string, value: string])[];
}

/** A request that an application protects; `path` is UTF-8 and not percent-encoded. */
interface Base {
  readonly path: string;
  readonly method?: string;
  readonly host?: string | null;
  readonly query?: string;
  readonly fields?: readonly (readonly [name: string, value: string])[];
}

/** Requests for the views of `test/support/path_views.py` that need a permission, and for views beside them. */
const BASES: readonly Base[] = [
  ...[
    '/',
    '/shop/',
    '/shop',
    '/admin/',
    '/admin',
    '/admin/users/7',
    '/login',
    '/privé/x',
    '/privé',
    '/über/ß/x',
    '/closed/x',
    '/limited/x',
  ],
  ...['/busy/x', '/mnt/x', '/mnt', '/100%25/x', '/area/x', '/area/public/x', '/files/secret.txt', '/internal/x'],
  ...[
    '/assets/../secret.txt',
    '/assets/a.txt',
    '/secret/x',
    '/user/3',
    '/word/ab',
    '/letters/ab',
    '/text/ab',
    '/one/a',
  ],
  ...['/any/a/b', '/not/1x', '/not/é€'],
]
  .map((path): Base => ({ path }))
  .concat([
    { path: '/orders/1', method: 'POST' },
    { path: '/tools/x', fields: [['X-Secret', '1']] },
    { path: '/tools/x', query: 'debug=1' },
    { path: '/x', host: 'admin.example.org' },
    { path: '/open/x', host: 'strict.example.org' },
    { path: '/x', host: 'strict.example.org' },
    { path: '*', method: 'OPTIONS' },
    { path: '/x', host: null },
  ]);

/** Characters outside ASCII that expressions of JavaScript and Python class differently, and some that they do not. */
const OTHERS = [
  'é',
  'ß',
  '€',
  '٣',
  '１',
  '字',
  '😀',
  '\u00a0',
  '\u0085',
  '\u2028',
  '\ufeff',
  '\ufffd',
  '\u0301',
  'ａ',
  'ſ',
];
const INVALID = ['%FF', '%C3', '%E0%80', '%ED%A0%80', '%F0%9F%98', '%80', '%c0%ae', '%C1%A1'];
const ENDS = [
  '.',
  '..',
  '%2e',
  '%20',
  '%0a',
  '%0D',
  '%0d%0a',
  '%09',
  '%00',
  ';x',
  ';a=b',
  '~',
  '*',
  '%',
  '%2',
  '%zz',
  '/',
];
const DOTS = [
  '/.',
  '/./',
  '/x/..',
  '/x/%2e%2E',
  '/open/../',
  '/..;/',
  '/.;a/',
  '/x%2f..',
  '/%2e',
  '/..%5c',
  '/open/..%2f',
  '/assets/..',
];
const SLASHES = [
  '//',
  '///',
  '%2F',
  '%2f',
  '%2F%2f',
  '/%2F',
  '\\',
  '%5C',
  '%5c/',
  '%252F',
  '/;/',
  '%c0%af',
  '%EF%BC%8F',
  '%E2%88%95',
];

type Random = () => number;
/** Changes a path, given as tokens of one byte each: a character, or `%` and two digits. */
type Change = (tokens: string[], random: Random) => void;

const CHANGES: readonly Change[] = [
  (tokens, random) => encodeSome(tokens, random, 0.15),
  (tokens, random) => encodeSome(tokens, random, 1),
  (tokens, random) => replaceOne(tokens, random, /^[^/%]$/, (token) => `%25${hex(token, random)}`),
  (tokens, random) => replaceOne(tokens, random, /^[^/%]$/, overlong),
  (tokens, random) =>
    replaceOne(tokens, random, /^[a-z]$/i, (token) => (token < 'a' ? token.toLowerCase() : token.toUpperCase())),
  (tokens, random) =>
    replaceOne(tokens, random, /^[a-z]$/, (token) => octets(String.fromCodePoint(token.charCodeAt(0) + 0xfee0))),
  (tokens, random) => replaceOne(tokens, random, /^[a-z]$/, (token) => `%u00${hex(token, random)}`),
  (tokens, random) =>
    replaceOne(tokens, random, /^%/, (token) => String.fromCharCode(Number.parseInt(token.slice(1), 16))),
  (tokens, random) => replaceOne(tokens, random, /^%/, () => pick(INVALID, random)),
  (tokens, random) => replaceOne(tokens, random, /^\/$/, () => pick(SLASHES, random)),
  (tokens, random) => replaceOne(tokens, random, /^\/$/, (token) => pick(DOTS, random) + token),
  (tokens, random) => insert(tokens, random, pick(INVALID, random)),
  (tokens, random) => insert(tokens, random, octets(pick(OTHERS, random))),
  (tokens, random) => insert(tokens, random, pick(ENDS, random)),
  (tokens, random) => void tokens.push(pick(ENDS, random)),
  (tokens, random) => void tokens.push(pick(INVALID, random)),
  (tokens, random) => void tokens.unshift(pick([...SLASHES, '/.', '/open/..', '/%2e%2e'], random)),
  (tokens, random) => replaceSegment(tokens, () => octets(pick(OTHERS, random))),
  (tokens, random) => replaceSegment(tokens, () => octets(pick(OTHERS, random)) + octets(pick(OTHERS, random))),
  (tokens, random) => replaceSegment(tokens, () => pick(INVALID, random)),
  (tokens) =>
    tokens.splice(0, tokens.length, ...tokensOf(octets(decodeURIComponent(tokens.join('')).normalize('NFD')))),
];

/** Spellings of requests for the views of `test/support/path_views.py`, the same for the same seed. */
export function* spellings(seed: number, count: number): Generator<Spelling> {
  const random = createRandom(seed);
  for (const base of BASES) yield spell(base, octets(base.path));
  for (let made = BASES.length; made < count; made += 1) {
    const base = pick(BASES, random);
    const tokens = tokensOf(octets(base.path));
    for (let changes = Math.floor(random() * 4); changes > 0; changes -= 1)
      attempt(pick(CHANGES, random), tokens, random);
    yield disguise(spell(base, tokens.join('')), random);
  }
}

/** A change may meet a path that an earlier change made invalid; then the path stays as it is. */
function attempt(change: Change, tokens: string[], random: Random): void {
  try {
    change(tokens, random);
  } catch (error) {
    if (!(error instanceof URIError)) throw error;
  }
}

function spell({ method = 'GET', host = 'test.example', query = '', fields = [] }: Base, path: string): Spelling {
  return { method, target: query === '' ? path : `${path}?${query}`, host, fields };
}

/** Changes what is not the path. */
function disguise(plain: Spelling, random: Random): Spelling {
  const { method, target, host, fields } = plain;
  if (host === null) return plain;
  const path = target.replace(/\?.*/, '');
  switch (Math.floor(random() * 16)) {
    case 0:
      return {
        ...plain,
        target: `http://${host}${target}`,
        host: pick([host, 'test.example', 'other.example'], random),
      };
    case 1:
      return {
        ...plain,
        target: `${pick(['HTTP', 'https', 'hTTp'], random)}://${hostSpelling(host, random)}${target}`,
      };
    case 2:
      return { ...plain, host: hostSpelling(host, random) };
    case 3:
      return { ...plain, method: pick(['post', 'Post', 'get', 'GeT', 'HEAD', 'head', 'PUT', 'OPTIONS'], random) };
    case 4:
      return { ...plain, method: method === 'POST' ? pick(['post', 'Post', 'pOST', 'PATCH'], random) : method };
    case 5:
      return {
        ...plain,
        target: target + pick(['?', '#', '?#', '#/open/x', '?/open/x', '%3F/open/x', '%23', '?a=/../'], random),
      };
    case 6:
      return {
        ...plain,
        target:
          path +
          pick(['?%64ebug=%31', '?debug=0&debug=1', '??debug=1', '?debug=1&debug=2', '?debug=1;x', '?Debug=1'], random),
      };
    case 7:
      return {
        ...plain,
        fields: fields.map(([name, value]) => [
          pick([name.toLowerCase(), name.replace('-', '_'), name.toUpperCase(), `${name} `], random),
          value,
        ]),
      };
    case 8:
      return {
        ...plain,
        fields: [...fields, ['X-Secret', pick(['', ' ', '1, 2', 'é'], random)], ['Host', 'other.example']].slice(
          0,
          1,
        ) as Spelling['fields'],
      };
    default:
      return plain;
  }
}

function hostSpelling(host: string, random: Random): string {
  return pick(
    [
      host.toUpperCase(),
      `${host}.`,
      `${host}:80`,
      `${host}:`,
      `${host}:00080`,
      `${host}..`,
      `user@${host}`,
      host.replace('a', '%61'),
      ` ${host}`,
      `${host} `,
      `${host},other.example`,
      host.replace('.', '。'),
      `${host}/`,
      `[${host}]`,
      '',
    ],
    random,
  );
}

/** The bytes of UTF-8; those outside ASCII percent-encoded. */
function octets(text: string): string {
  return Buffer.from(text, 'utf8')
    .toString('latin1')
    .replace(/[^\x21-\x7e]/g, (byte) => `%${byte.charCodeAt(0).toString(16).padStart(2, '0').toUpperCase()}`);
}

function tokensOf(path: string): string[] {
  return path.match(/%[0-9A-Fa-f]{2}|./gs) ?? [];
}

function hex(token: string, random: Random): string {
  const digits = token.charCodeAt(0).toString(16).padStart(2, '0');
  return random() < 0.5 ? digits.toUpperCase() : digits;
}

/** Two bytes in place of one, which no decoder of UTF-8 may accept (RFC 3629 section 3). */
function overlong(token: string): string {
  const code = token.charCodeAt(0);
  return `%${(0xc0 | (code >> 6)).toString(16)}%${(0x80 | (code & 0x3f)).toString(16)}`;
}

function encodeSome(tokens: string[], random: Random, share: number): void {
  for (const [at, token] of tokens.entries()) {
    if (token.length === 1 && token !== '/' && random() < share) tokens[at] = `%${hex(token, random)}`;
  }
}

function replaceOne(tokens: string[], random: Random, which: RegExp, by: (token: string) => string): void {
  const places = [...tokens.keys()].filter((at) => which.test(tokens[at] as string));
  if (places.length === 0) return;
  const at = pick(places, random);
  tokens[at] = by(tokens[at] as string);
}

function replaceSegment(tokens: string[], by: () => string): void {
  tokens.splice(tokens.lastIndexOf('/') + 1, tokens.length, by());
}

function insert(tokens: string[], random: Random, text: string): void {
  tokens.splice(1 + Math.floor(random() * tokens.length), 0, text);
}

function pick<T>(from: readonly T[], random: Random): T {
  return from[Math.floor(random() * from.length)] as T;
}
