import { encodePath, nameFromBytes } from './path.ts';

/** The target of an X-Accel-Redirect. */
export interface AccelTarget {
  /** The decoded path. */
  readonly path: string;
  /** The percent-encoded path, as in a Request. */
  readonly encodedPath: string;
  /** The query without its question mark. */
  readonly query: string;
}

/**
 * Parses the value of X-Accel-Redirect like nginx: the part before a question mark is percent-decoded once, and an
 * encoded slash is a slash. Returns null for a path that is not absolute, or contains NUL, a backslash or a segment
 * `..`, encoded or not.
 *
 * @param value latin-1 whose characters represent bytes, usually of UTF-8
 */
export function readAccelTarget(value: string): AccelTarget | null {
  const mark = value.indexOf('?');
  const octets = percentDecoded(mark < 0 ? value : value.slice(0, mark));
  if (octets === null || !isSafePath(octets)) return null;
  const path = octets
    .split('/')
    .map((segment) => nameFromBytes(Buffer.from(segment, 'latin1')))
    .join('/');
  return { path, encodedPath: encodePath(path), query: mark < 0 ? '' : queryOf(value.slice(mark + 1)) };
}

/** Whether a path of bytes is absolute and stays below its root. */
export function isSafePath(octets: string): boolean {
  if (!octets.startsWith('/') || octets.includes('\0') || octets.includes('\\')) return false;
  return !octets.split('/').includes('..');
}

/** Percent-decodes latin-1 to latin-1; null when a percent sign does not start an encoded octet. */
export function percentDecoded(text: string): string | null {
  if (!text.includes('%')) return text;
  if (/%(?![0-9A-Fa-f]{2})/.test(text)) return null;
  return text.replace(/%(..)/g, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)));
}

/** Encodes the characters that the target of a request must not contain (RFC 3986 section 3.4). */
function queryOf(text: string): string {
  return text.replace(
    /[^\x21\x24-\x7e]/g,
    (octet) => `%${octet.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
  );
}
