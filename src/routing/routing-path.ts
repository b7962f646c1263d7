/**
 * A segment `.` or `..`, for programs that read a backslash as a slash and a semicolon as the end of a name; or a line
 * break, because in many frameworks `.` does not match it and `$` matches before it.
 */
const AMBIGUOUS = /[/\\]\.{1,2}(?:[/\\;]|$)|[\r\n]/;
const SLASHES = /(?:\/|%2F)+/gi;
const ESCAPE = /%([0-9A-Fa-f]{2})/g;

/**
 * The path that routes are compared with: percent-decoded, as applications receive it, and with repeated slashes
 * merged. `/%61dmin/` and `//admin/` therefore match the same route as `/admin/`, and no spelling bypasses a route that
 * protects a path. Bytes that are not UTF-8 become U+FFFD, as in Flask.
 *
 * @param path percent-encoded; each `%` starts an encoded byte
 * @returns null for a path that recipients interpret differently: with a segment `.` or `..` or a line break,
 * percent-encoded or not
 */
export function routingPath(path: string): string | null {
  const encoded = path.includes('%');
  let decoded = encoded ? decode(path) : path;
  if (decoded.includes('//')) decoded = decoded.replace(/\/{2,}/g, '/');
  return (encoded || decoded.includes('/.')) && AMBIGUOUS.test(decoded) ? null : decoded;
}

/**
 * The path as Django reads it, which keeps each byte that is not UTF-8 percent-encoded. Without such a byte this is the
 * `routingPath`.
 */
export function djangoReading(path: string): string {
  const marked = bytesOf(oneSlash(path)).replace(UTF8, (sequence, other?: string) =>
    other === undefined ? sequence : `%${other.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return Buffer.from(marked, 'latin1').toString('utf8');
}

/**
 * The path as programs read it that take an encoded slash or several slashes for something else than a slash. The
 * character in their place is in no route.
 */
export function literalReading(path: string): string {
  return decode(path.replace(SLASHES, (slashes) => (slashes === '/' ? slashes : '%00')));
}

/** `path`, still percent-encoded, with one slash for each row of slashes, encoded or not. */
export function oneSlash(path: string): string {
  return path.replace(SLASHES, '/');
}

/** A character of UTF-8 (RFC 3629 section 4), or a byte that is not part of one. */
const UTF8 = new RegExp(
  [
    '[\\0-\\x7f]|[\\xc2-\\xdf]T|\\xe0[\\xa0-\\xbf]T|[\\xe1-\\xec\\xee\\xef]TT|\\xed[\\x80-\\x9f]T',
    '\\xf0[\\x90-\\xbf]TT|[\\xf1-\\xf3]TTT|\\xf4[\\x80-\\x8f]TT|([^])',
  ]
    .join('|')
    .replaceAll('T', '[\\x80-\\xbf]'),
  'g',
);

function decode(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return Buffer.from(bytesOf(path), 'latin1').toString('utf8');
  }
}

/** The bytes of a percent-encoded path, as latin-1. */
function bytesOf(path: string): string {
  return path.replace(ESCAPE, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}
