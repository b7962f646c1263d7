/**
 * Makes a relative file path of the percent-encoded rest of a URL path, or null when it must not name a file: a segment that is
 * empty, `.`, `..` or hidden (`.well-known` is not, RFC 8615), that holds an encoded slash, a backslash or NUL, or that is not
 * UTF-8. Decoding happens once: what is still encoded after it is part of a name.
 */
export function relativePath(encoded: string): string | null {
  const segments: string[] = [];
  for (const part of encoded.split('/')) {
    const segment = decode(part);
    if (segment === null || segment === '' || /[/\\\0]/.test(segment)) return null;
    if (segment.startsWith('.') && segment !== '.well-known') return null;
    segments.push(segment);
  }
  return segments.join('/');
}

function decode(part: string): string | null {
  if (/[^\x21-\x7e]/.test(part)) return null;
  try {
    return decodeURIComponent(part);
  } catch {
    return null;
  }
}
