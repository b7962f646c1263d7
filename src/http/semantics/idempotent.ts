const IDEMPOTENT = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE']);

/** Whether to ask twice by `method` is to ask once (RFC 9110 section 9.2.2). Of methods that are not known it is not. */
export function isIdempotent(method: string): boolean {
  return IDEMPOTENT.has(method);
}
