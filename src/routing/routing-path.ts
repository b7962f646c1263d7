const DOT_SEGMENT = /\/\.{1,2}(?:\/|$)/;
const ESCAPE = /%([0-9A-Fa-f]{2})/g;

/**
 * The path that routes are compared with: percent-decoded, as applications see it, and with one slash where several stand together. So
 * `/%61dmin/` and `//admin/` go where `/admin/` goes, and no spelling leads past a route that protects a path.
 *
 * @returns null for a path with a segment `.` or `..`, whether or not it is percent-encoded: what it means depends on who reads it
 */
export function routingPath(path: string): string | null {
  let decoded = path;
  if (path.includes('%')) decoded = decode(path);
  if (decoded.includes('//')) decoded = decoded.replace(/\/{2,}/g, '/');
  return decoded.includes('/.') && DOT_SEGMENT.test(decoded) ? null : decoded;
}

/** Bytes that are no UTF-8 become latin-1 characters. */
function decode(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path.replace(ESCAPE, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  }
}
