/**
 * Percent-decodes the path of a URL once; anything still encoded afterwards is part of a name. In a segment that is not
 * UTF-8, the bytes become lone surrogates, like Python's `surrogateescape` (PEP 383), and `systemPath` restores them.
 * Returns null for a path that cannot name a file: a segment contains an encoded slash, a backslash or NUL, or its
 * encoding is malformed.
 */
export function decodePath(path: string): string | null {
  if (!path.includes('%')) return path.includes('\\') ? null : path;
  const segments = path.split('/').map(decodeSegment);
  return segments.includes(null) ? null : segments.join('/');
}

/**
 * Percent-encodes a path decoded by `decodePath`, segment by segment. Only unreserved characters and `!'()*` stay
 * unencoded.
 */
export function encodePath(path: string): string {
  return path.split('/').map(encodeSegment).join('/');
}

/** Whether a decoded path may lead to a file: no segment is empty or hidden. `.well-known` is public (RFC 8615). */
export function isVisible(path: string): boolean {
  return path.split('/').every(isVisibleName);
}

/** See `isVisible`. */
export function isVisibleName(name: string): boolean {
  return name !== '' && (!name.startsWith('.') || name === '.well-known');
}

/** The name of a file whose bytes may not be UTF-8, in the form of `decodePath`. */
export function nameFromBytes(bytes: Buffer): string {
  const text = bytes.toString('utf8');
  if (Buffer.from(text, 'utf8').equals(bytes)) return text;
  return Array.from(bytes, (byte) => String.fromCharCode(byte < 0x80 ? byte : ESCAPE + byte)).join('');
}

/** A decoded path in the form that the file system expects. */
export function systemPath(path: string): string | Buffer {
  return ESCAPED.test(path) ? bytesOf(path) : path;
}

/** 0xdc00 plus a byte from 0x80 is a low surrogate without a high one, which decoded UTF-8 never contains. */
const ESCAPE = 0xdc00;
const ESCAPED = /(?<![\ud800-\udbff])[\udc80-\udcff]/;

function decodeSegment(encoded: string): string | null {
  const segment = percentDecoded(encoded);
  return segment === null || /[/\\\0]/.test(segment) ? null : segment;
}

function percentDecoded(encoded: string): string | null {
  try {
    return decodeURIComponent(encoded);
  } catch {
    if (/%(?![0-9A-Fa-f]{2})/.test(encoded)) return null;
    const octets = encoded.replace(/%(..)/g, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)));
    return nameFromBytes(Buffer.from(octets, 'latin1'));
  }
}

function encodeSegment(segment: string): string {
  if (!ESCAPED.test(segment)) return encodeURIComponent(segment);
  const octets = Array.from(bytesOf(segment), (byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`);
  return octets
    .join('')
    .replace(/%(4[1-9A-F]|5[0-9A]|6[1-9A-F]|7[0-9A]|3[0-9]|2[DE]|5F)/g, (octet) => decodeURIComponent(octet));
}

function bytesOf(path: string): Buffer {
  const pieces = Array.from(path, (character) =>
    ESCAPED.test(character) ? Buffer.of(character.charCodeAt(0) - ESCAPE) : Buffer.from(character, 'utf8'),
  );
  return Buffer.concat(pieces);
}
