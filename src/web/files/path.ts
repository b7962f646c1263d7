/**
 * Decodes the path of a URL, once: what is still encoded after it is part of a name. Null when it cannot be that of a file: a segment
 * is not UTF-8 or holds an encoded slash, a backslash or NUL.
 */
export function decodePath(path: string): string | null {
  if (!path.includes('%')) return path.includes('\\') ? null : path;
  const segments = path.split('/').map(decodeSegment);
  return segments.includes(null) ? null : segments.join('/');
}

/** Whether a decoded path may lead to a file: no segment is empty or hidden. `.well-known` is for everybody (RFC 8615). */
export function isVisible(path: string): boolean {
  return path.split('/').every((segment) => segment !== '' && (!segment.startsWith('.') || segment === '.well-known'));
}

function decodeSegment(encoded: string): string | null {
  try {
    const segment = decodeURIComponent(encoded);
    return /[/\\\0]/.test(segment) ? null : segment;
  } catch {
    return null;
  }
}
