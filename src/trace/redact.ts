import { type Field, REDACTED } from './document.ts';

/**
 * Removes secrets from what is shown of a request: by the names of fields, parameters, variables and keys, and by the shape of texts. It errs on
 * the side of hiding. Text comes from anybody, so every expression takes linear time.
 */

const SECRET_NAME =
  /authorization|cookie|viaduct[-_]trace|passw|passphrase|\bpwd\b|_pwd|secret|token|api[-_ ]?key|access[-_]?key|private[-_]?key|secret[-_]?key|encryption[-_]?key|signing[-_]?key|csrf|xsrf|session|credential|signature|\bsig\b|\bauth\b|\bcode\b|\botp\b|\bcvv?\b|\bcvc\b/i;

/** Names that only look like those of secrets. */
const HARMLESS_NAME =
  /^(?:www-authenticate|proxy-authenticate|wsgi\..*|django_settings_module|.*_(?:engine|backend|age|httponly|samesite|secure))$/i;

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
  [/\b([a-z][a-z0-9+.-]{0,30}:\/\/[^\s:/?#@"']{0,200}):[^\s/?#@"']{1,200}@/gi, `$1:${REDACTED}@`], // the password of a URL
];

/** `password=x`, `"api_key": "x"`, `secret: 'x'` within a text, such as SQL or the `repr` of a dict. */
const NAMED_IN_TEXT =
  /\b((?:[A-Za-z0-9]{1,40}[-_]){0,4}(?:password|passwd|passphrase|pwd|secret|token|api_?key|secret_?key|private_?key|authorization|csrf(?:middleware)?token|sessionid))(["']?\s{0,4}(?:[:=]|=>)\s{0,4})("[^"\n]*"?|'[^'\n]*'?|[^\s,;&)\]}"']+)/gi;

/** Letters and digits in a row that are long enough to be a key. */
const LONG_RUN = /[A-Za-z0-9+/_=-]{32,}/g;
/** Numbers of credit cards have 13 to 19 digits, often in groups (ISO/IEC 7812). */
const DIGITS = /\b\d(?:[ -]?\d){12,18}\b/g;

/** A text in which everything with the shape of a secret is replaced. */
export function redactText(text: string): string {
  if (text.length < 6) return text;
  let shown = text;
  for (const [shape, replacement] of SHAPES) shown = shown.replace(shape, replacement);
  return shown
    .replace(NAMED_IN_TEXT, (whole, name: string, between: string, value: string) =>
      isBindingPlace(value) ? whole : `${name}${between}${REDACTED}`,
    )
    .replace(LONG_RUN, (run) => (isRandom(run) ? REDACTED : run))
    .replace(DIGITS, (number) => (isCardNumber(number) ? REDACTED : number));
}

/** A value that belongs to a name. */
export function redactNamed(name: string, value: string): string {
  return value !== '' && isSecretName(name) ? REDACTED : redactText(value);
}

/** A field of a message. Of cookies the names stay, and of a Set-Cookie the attributes. */
export function redactField(name: string, value: string): Field {
  const lower = name.toLowerCase();
  if (lower === 'cookie' || lower === 'http_cookie') return [name, value.replace(/=[^;]*/g, `=${REDACTED}`)];
  if (lower === 'set-cookie') return [name, value.replace(/=[^;]*/, `=${REDACTED}`)];
  return [name, redactNamed(name, value)];
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
  if (/^[0-9a-f]+$/i.test(run)) return /\d/.test(run) && /[a-f]/i.test(run);
  const longest = Math.max(...run.split(/[/_=-]/).map(({ length }) => length));
  if (longest < 20) return false;
  return /\d/.test(run) && /[a-z]/.test(run) && /[A-Z]/.test(run);
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
