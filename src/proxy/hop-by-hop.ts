/** How the proxy treats a field of a request. */
export type RequestFieldKind =
  | 'pass'
  | 'drop'
  | 'connection'
  | 'upgrade'
  | 'x-forwarded-for'
  | 'x-forwarded-proto'
  | 'x-forwarded-host'
  | 'x-forwarded-port'
  | 'forwarded';

/**
 * Fields of one connection (RFC 9110 section 7.6.1), and fields that the proxy writes itself: framing and Host. The
 * server has already answered `Expect`.
 */
const DROPPED = new Set([
  'host',
  'content-length',
  'transfer-encoding',
  'keep-alive',
  'proxy-connection',
  'proxy-authorization',
  'te',
  'trailer',
  'expect',
  'http2-settings',
]);

const SPECIAL: ReadonlySet<string> = new Set<RequestFieldKind>([
  'connection',
  'upgrade',
  'x-forwarded-for',
  'x-forwarded-proto',
  'x-forwarded-host',
  'x-forwarded-port',
  'forwarded',
]);

const NAMES_MAX = 1024;
const kinds = new Map<string, RequestFieldKind>();

/** The kind of the field `name`, in any letter case. */
export function requestFieldKind(name: string): RequestFieldKind {
  const known = kinds.get(name);
  if (known !== undefined) return known;
  if (kinds.size >= NAMES_MAX) kinds.clear();
  const kind = kindOf(name.toLowerCase());
  kinds.set(name, kind);
  return kind;
}

/**
 * CGI-like interfaces do not distinguish `_` and `-`. A client could otherwise forge the proxy's fields by the other
 * spelling.
 */
function kindOf(lower: string): RequestFieldKind {
  if (DROPPED.has(lower)) return 'drop';
  if (SPECIAL.has(lower)) return lower as RequestFieldKind;
  const dashed = lower.replaceAll('_', '-');
  return dashed !== lower && dashed.startsWith('x-forwarded-') && SPECIAL.has(dashed) ? 'drop' : 'pass';
}
