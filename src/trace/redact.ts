import { type Field, REDACTED } from './document.ts';

/**
 * Removes secrets from what is shown of a request: by the names of fields, parameters, variables and keys, and by the shape of texts. It errs on
 * the side of hiding. Text comes from anybody, so every expression takes linear time.
 */

const SECRET_NAME =
  /authorization|cookie|passw|passphrase|secret|token|(?:api|access|private|encryption|signing|auth|ssh)[-_ ]?key|csrf|xsrf|session|sessid|credential|signature|bearer|viaduct[-_]trace|(?<![a-z])(?:pwd|pw|pass|sid|sig|auth|otp|totp|cvv?|cvc|pin|jwt|dsn)(?![a-z])|\bcode\b/i;

/** Names that only look like those of secrets. */
const HARMLESS_NAME =
  /^(?:www-authenticate|proxy-authenticate|auth_type|wsgi\..*|django_settings_module|.*_(?:engine|backend|age|httponly|samesite|secure))$/i;

export function isSecretName(name: string): boolean {
  return SECRET_NAME.test(name) && !HARMLESS_NAME.test(name);
}

/** The texts with these shapes are secrets, whatever they belong to. */
const SHAPES: readonly (readonly [shape: RegExp, shown: string])[] = [
  [/-----BEGIN [A-Z0-9 ]{0,40}-----[^-]*(?:-----END [A-Z0-9 ]{0,40}-----)?/g, REDACTED],
  [/\b(Bearer) +[A-Za-z0-9\-._~+/=]{6,}/gi, `$1 ${REDACTED}`],
  [
    /\b(Basic|Negotiate|Token) +(?![A-Za-z_]{1,20}=")(?=\S{0,200}(?:[0-9=]|[a-z][A-Z]))[A-Za-z0-9\-._~+/=]{8,}/g,
    `$1 ${REDACTED}`,
  ],
  [/\beyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]{5,}(?:\.[A-Za-z0-9_-]*)?/g, REDACTED], // a JSON Web Token (RFC 7519)
  [/\b(?:AKIA|ASIA|AGPA|AIDA|AROA)[0-9A-Z]{16}\b/g, REDACTED], // keys of AWS
  [/\b(?:gh[pousr]_|github_pat_|glpat-|xox[abposr]-|sk_live_|rk_live_|sk-)[A-Za-z0-9_-]{10,}/g, REDACTED],
  [/\b([a-z][a-z0-9+.-]{0,30}:\/\/[^\s:/?#@"']{0,200}):[^\s/?#"']{1,200}@/gi, `$1:${REDACTED}@`], // the password of a URL
  // Addresses of databases often have passwords that are not encoded as RFC 3986 asks for.
  [/\b((?!https?:|wss?:)[a-z][a-z0-9+.-]{0,30}:\/\/[^\s:/?#@"']{0,200}):[^\s"'<>]{1,200}@/gi, `$1:${REDACTED}@`],
  [/\b((?:proxy-)?authorization|(?:set-)?cookie)(:[ \t]{0,4})[^\s"'][^\r\n"']*/gi, `$1$2${REDACTED}`],
  [/\b(identified\s{1,4}by|password)(\s{1,4})'(?:[^'\\]|\\.)*'?/gi, `$1$2${REDACTED}`], // SQL
  [/(\('[\w-]{0,40}(?:passw|secret|token|api_?key)[\w-]{0,40}', )'(?:[^'\\]|\\.)*'\)/gi, `$1${REDACTED})`], // `repr` of a pair
  // `['--password', 'x']` and `--password x`: options of a command.
  [
    /(?<![\w-])(--?[\w-]{0,40}(?:passw|secret|token|api-?key)[\w-]{0,40}["']?(?:, | {1,4}))(?!-)(?:'(?:[^'\\]|\\.)*'?|"(?:[^"\\]|\\.)*"?|[^\s"',;)\]}]+)/gi,
    `$1${REDACTED}`,
  ],
];

/**
 * `password=x`, `"api_key": "x"`, `secret: b'x'`, `'password1': ['x']` within a text, such as SQL, JSON or the `repr` of a dict. A value is a list,
 * a text in quotes, also those that JSON within JSON escapes, or what comes until the next separator.
 */
const NAMED_IN_TEXT = new RegExp(
  [
    /(?<![\w-])(?=[\w-]{0,60}?(?:passw|passphrase|secret|token|(?:api|private|access|auth)[-_]?key|authorization|cookie|csrf|sessionid|(?<![a-z])(?:pwd|pass)(?![a-z])))/,
    /(?<name>[\w-]{1,80})(?<between>\\{0,4}["']?(?:\]|%5d)?\s{0,4}(?:=>|[:=]|%3d|%3a)\s{0,4})/,
    /(?<value>LIST|ESCAPED|QUOTED|[^\s,;&)\]}"']+)/,
  ]
    .map(({ source }) => source)
    .join('')
    .replace('LIST', /[[(](?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[^\])"'])*[\])]?/.source)
    .replace('ESCAPED', /\\{1,8}["'][^"'\n]*["']?/.source)
    .replace('QUOTED', /(?:\w{1,30}\(|[a-z]{0,2})(?:"""[^"]*(?:""")?|"(?:[^"\\]|\\.)*"?|'(?:[^'\\]|\\.)*'?)/.source),
  'gis',
);

/** A text without any of these has no such name. It spares most texts the search. */
const SECRET_WORD = /pass|secret|token|key|authorization|cookie|csrf|sessionid|pwd/i;

/** Letters and digits in a row that are long enough to be a key. */
const LONG_RUN = /[A-Za-z0-9+/_=-]{32,}/g;
/** Numbers of credit cards have 13 to 19 digits, often in groups (ISO/IEC 7812). */
const DIGITS = /\b\d(?:[ -]?\d){12,18}\b/g;

/** A text in which everything with the shape of a secret is replaced. */
export function redactText(text: string): string {
  return redact(text, () => true);
}

/** A line of a program: what it names as a secret is replaced only if it is written there. Names and calls stay, so that the line can be read. */
export function redactSource(line: string): string {
  return redact(line, (value) => LITERAL.test(value));
}

/** A text or a number, in brackets, too, or in a call such as `SecretStr('x')`. */
const LITERAL = /^(?:\w{1,30}\(|[[(]\s{0,4}|[a-z]{0,2})["']|^\d/i;

/** `hides` gets each value that has the name of a secret. */
function redact(text: string, hides: (value: string) => boolean): string {
  if (text.length < 6) return text;
  let shown = text;
  for (const [shape, replacement] of SHAPES) shown = shown.replace(shape, replacement);
  if (SECRET_WORD.test(shown)) shown = hideNamed(shown, hides);
  return shown
    .replace(LONG_RUN, (run) => (isRandom(run) ? REDACTED : run))
    .replace(DIGITS, (number) => (isCardNumber(number) ? REDACTED : number));
}

function hideNamed(text: string, hides: (value: string) => boolean): string {
  return text.replace(NAMED_IN_TEXT, (whole, name: string, between: string, value: string) =>
    isBindingPlace(value) || !hides(value) ? whole : `${name}${between}${REDACTED}`,
  );
}

/** A value that belongs to a name. */
export function redactNamed(name: string, value: string): string {
  if (value !== '' && isSecretName(name)) return REDACTED;
  if (TRACE_PARENT.test(value)) return value;
  return ADDRESS.test(value) ? redactTarget(value) : redactText(value);
}

/** Identifies a trace, and lets nobody in (W3C Trace Context). */
const TRACE_PARENT = /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/;
/** An address with a query, as in Location and Referer. */
const ADDRESS = /^[^\s"'?]*\?[^\s"']*$/;

/** A field of a message. Of cookies the names stay, and of a Set-Cookie the attributes. */
export function redactField(name: string, value: string): Field {
  const lower = name.toLowerCase();
  if (lower === 'cookie' || lower === 'http_cookie') return [name, value.split(';').map(redactCookie).join(';')];
  if (lower === 'set-cookie') return [name, value.replace(/^[^;]*/, redactCookie)];
  return [name, redactNamed(name, value)];
}

/** A cookie without a name is a value. */
function redactCookie(pair: string): string {
  const equals = pair.indexOf('=');
  return pair.trim() === '' ? pair : `${pair.slice(0, equals + 1)}${REDACTED}`;
}

/** Path and query: the values of parameters with the names of secrets are replaced. */
export function redactTarget(target: string): string {
  const mark = target.indexOf('?');
  return mark < 0 ? redactText(target) : `${redactText(target.slice(0, mark))}?${redactQuery(target.slice(mark + 1))}`;
}

export function redactQuery(query: string): string {
  return query
    .split('&')
    .map((pair) => {
      const equals = pair.indexOf('=');
      if (equals < 0) return redactText(pair);
      const name = pair.slice(0, equals);
      return `${name}=${isSecretName(decoded(name)) ? REDACTED : redactText(pair.slice(equals + 1))}`;
    })
    .join('&');
}

function decoded(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}

/** The place of a parameter in SQL, or a value that was replaced before. */
function isBindingPlace(value: string): boolean {
  return /^(?:%s|%\(\w*\)?s?|\?|\$\d+|:\w+|\[redacted\]?)$/.test(value);
}

/**
 * Whether a long run is random: hexadecimal without words, or letters of both cases with digits. Words, paths and names with separators are not:
 * their parts are short.
 */
function isRandom(run: string): boolean {
  const isMixed = /\d/.test(run) && /[a-z]/.test(run) && /[A-Z]/.test(run);
  return run.split(/[/_=-]/).some((part) => isHexadecimalKey(part) || (isMixed && part.length >= 20));
}

function isHexadecimalKey(part: string): boolean {
  return part.length >= 32 && /^[0-9a-f]+$/i.test(part) && /\d/.test(part) && /[a-f]/i.test(part);
}

/** The check of Luhn, which numbers of credit cards pass. */
function isCardNumber(text: string): boolean {
  const digits = text.replace(/\D/g, '');
  let sum = 0;
  for (let i = 0; i < digits.length; i += 1) {
    const digit = Number(digits[digits.length - 1 - i]);
    const doubled = i % 2 === 0 ? digit : digit * 2;
    sum += doubled > 9 ? doubled - 9 : doubled;
  }
  return sum % 10 === 0;
}
