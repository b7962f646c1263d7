import { parseHttpDate } from './http-date.ts';
import type { HeaderList } from './message.ts';

/** What identifies a version of a representation. */
export interface Validators {
  /** A strong entity tag with its quotes. */
  readonly etag: string;
  /** Whole seconds since 1970. */
  readonly modifiedSeconds: number;
}

/** The fields of a request that ask for less than everything; '' where one is absent. */
export interface Conditions {
  readonly ifMatch: string;
  readonly ifNoneMatch: string;
  readonly ifModifiedSince: string;
  readonly ifUnmodifiedSince: string;
  readonly ifRange: string;
  readonly range: string;
}

type Name = 'if-match' | 'if-none-match' | 'if-modified-since' | 'if-unmodified-since' | 'if-range' | 'range';

/** Collects the conditional fields and Range. Null when there are none, which is the usual case and found out quickly. */
export function readConditions(headers: HeaderList): Conditions | null {
  let found: Partial<Record<Name, string>> | null = null;
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i] as string;
    const first = name.charCodeAt(0) | 32;
    if (first !== LETTER_I && first !== LETTER_R) continue;
    const lower = name.toLowerCase();
    if (!NAMES.has(lower)) continue;
    found ??= {};
    const before = found[lower as Name];
    found[lower as Name] = before === undefined ? (headers[i + 1] as string) : `${before},${headers[i + 1]}`;
  }
  if (found === null) return null;
  return {
    ifMatch: found['if-match'] ?? '',
    ifNoneMatch: found['if-none-match'] ?? '',
    ifModifiedSince: found['if-modified-since'] ?? '',
    ifUnmodifiedSince: found['if-unmodified-since'] ?? '',
    ifRange: found['if-range'] ?? '',
    range: found.range ?? '',
  };
}

const LETTER_I = 105;
const LETTER_R = 114;
const NAMES = new Set<string>([
  'if-match',
  'if-none-match',
  'if-modified-since',
  'if-unmodified-since',
  'if-range',
  'range',
]);

/** The preconditions in the order of RFC 9110 section 13.2.2, for GET and HEAD: 412, 304, or 0 to go on. */
export function checkConditions(conditions: Conditions, validators: Validators): 0 | 304 | 412 {
  const { ifMatch, ifNoneMatch, ifModifiedSince, ifUnmodifiedSince } = conditions;
  const { etag, modifiedSeconds } = validators;
  if (ifMatch !== '') {
    if (!matches(ifMatch, etag, false)) return 412;
  } else if (ifUnmodifiedSince !== '') {
    const date = parseHttpDate(ifUnmodifiedSince);
    if (date !== null && modifiedSeconds > date) return 412;
  }
  if (ifNoneMatch !== '') return matches(ifNoneMatch, etag, true) ? 304 : 0;
  if (ifModifiedSince !== '') {
    const date = parseHttpDate(ifModifiedSince);
    if (date !== null && modifiedSeconds <= date) return 304;
  }
  return 0;
}

/** Whether Range counts (RFC 9110 section 13.1.5): without If-Range, or when it names exactly this version. */
export function rangeApplies(ifRange: string, { etag, modifiedSeconds }: Validators): boolean {
  if (ifRange === '') return true;
  if (ifRange.startsWith('"') || ifRange.startsWith('W/')) return ifRange === etag;
  // A date identifies a version only when there cannot have been two of them in that second (RFC 9110 section 8.8.2.2).
  return parseHttpDate(ifRange) === modifiedSeconds && Date.now() / 1000 - modifiedSeconds >= 2;
}

/** Whether a list of entity tags holds `etag`. Weak comparison ignores `W/`; strong comparison never matches a weak tag. */
function matches(list: string, etag: string, weak: boolean): boolean {
  if (list.trim() === '*') return true;
  for (const [, prefix, tag] of list.matchAll(/(W\/)?("[\x21\x23-\x7e\x80-\xff]*")/g)) {
    if (tag === etag && (weak || prefix === undefined)) return true;
  }
  return false;
}
