const IDEMPOTENT = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE']);

/** Whether two requests with `method` have the effect of one (RFC 9110 section 9.2.2). False for unknown methods. */
export function isIdempotent(method: string): boolean {
  return IDEMPOTENT.has(method);
}
