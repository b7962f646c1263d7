import { HeaderField } from './header-field.ts';

/** Names and values of RFC 7541 Appendix A, from index 1. */
const ENTRIES = [
  [':authority', ''],
  [':method', 'GET'],
  [':method', 'POST'],
  [':path', '/'],
  [':path', '/index.html'],
  [':scheme', 'http'],
  [':scheme', 'https'],
  [':status', '200'],
  [':status', '204'],
  [':status', '206'],
  [':status', '304'],
  [':status', '400'],
  [':status', '404'],
  [':status', '500'],
  ['accept-charset', ''],
  ['accept-encoding', 'gzip, deflate'],
  ['accept-language', ''],
  ['accept-ranges', ''],
  ['accept', ''],
  ['access-control-allow-origin', ''],
  ['age', ''],
  ['allow', ''],
  ['authorization', ''],
  ['cache-control', ''],
  ['content-disposition', ''],
  ['content-encoding', ''],
  ['content-language', ''],
  ['content-length', ''],
  ['content-location', ''],
  ['content-range', ''],
  ['content-type', ''],
  ['cookie', ''],
  ['date', ''],
  ['etag', ''],
  ['expect', ''],
  ['expires', ''],
  ['from', ''],
  ['host', ''],
  ['if-match', ''],
  ['if-modified-since', ''],
  ['if-none-match', ''],
  ['if-range', ''],
  ['if-unmodified-since', ''],
  ['last-modified', ''],
  ['link', ''],
  ['location', ''],
  ['max-forwards', ''],
  ['proxy-authenticate', ''],
  ['proxy-authorization', ''],
  ['range', ''],
  ['referer', ''],
  ['refresh', ''],
  ['retry-after', ''],
  ['server', ''],
  ['set-cookie', ''],
  ['strict-transport-security', ''],
  ['transfer-encoding', ''],
  ['user-agent', ''],
  ['vary', ''],
  ['via', ''],
  ['www-authenticate', ''],
] as const;

/** The last index of the static table; those of the dynamic table follow. */
export const STATIC_LAST = ENTRIES.length;

/** The static table: entry `index - 1` has that index. */
export const STATIC_TABLE: readonly HeaderField[] = ENTRIES.map(([name, value]) => new HeaderField(name, value, false));

const FIRST_INDEX = new Map<string, number>();
for (let index = STATIC_LAST; index > 0; index -= 1) FIRST_INDEX.set(ENTRIES[index - 1]?.[0] ?? '', index);

/** The first index with this name, 0 if the static table does not have it. */
export function staticNameIndex(name: string): number {
  return FIRST_INDEX.get(name) ?? 0;
}

/** The index with this name and value, 0 if the static table does not have them. */
export function staticFieldIndex(name: string, value: string): number {
  for (let index = staticNameIndex(name); index > 0 && index <= STATIC_LAST; index += 1) {
    const entry = STATIC_TABLE[index - 1] as HeaderField;
    if (entry.name !== name) break;
    if (entry.value === value) return index;
  }
  return 0;
}
