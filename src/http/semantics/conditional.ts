import type { HeaderList } from '../message.ts';
import { parseHttpDate } from './http-date.ts';

/** The values that identify a version of a representation. */
export interface Validators {
  /** A strong entity tag with its quotes. */
  readonly etag: string;
  /** Whole seconds since 1970; null when the date is unknown. */
  readonly modifiedSeconds: number | null;
}

/** The conditional fields of a request, and Range. Lines of the same name are joined by commas. */
export interface Conditions {
  ifMatch?: string;
  ifNoneMatch?: string;
  ifModifiedSince?: string;
  ifUnmodifiedSince?: string;
  ifRange?: string;
  range?: string;
}

const NAMES = new Map<string, keyof Conditions>([
  ['if-match', 'ifMatch'],
  ['if-none-match', 'ifNoneMatch'],
  ['if-modified-since', 'ifModifiedSince'],
  ['if-unmodified-since', 'ifUnmodifiedSince'],
  ['if-range', 'ifRange'],
  ['range', 'range'],
]);
const LETTER_I = 0x69;
const LETTER_R = 0x72;
const TO_LOWER = 0x20;

/** Collects the conditional fields and Range. Returns null without such a field: this is the usual case, and costs little. */
export function readConditions(headers: HeaderList): Conditions | null {
  let conditions: Conditions | null = null;
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i] as string;
    const first = name.charCodeAt(0) | TO_LOWER;
    if (first !== LETTER_I && first !== LETTER_R) continue;
    const key = NAMES.get(name.toLowerCase());
    if (key === undefined) continue;
    conditions ??= {};
    const before = conditions[key];
    conditions[key] = before === undefined ? (headers[i + 1] as string) : `${before},${headers[i + 1]}`;
  }
  return conditions;
}

/** Checks the preconditions of a GET or HEAD in the order of RFC 9110 section 13.2.2. Returns 412, 304, or 0 to continue. */
export function checkConditions(conditions: Conditions, validators: Validators): 0 | 304 | 412 {
  const { ifMatch, ifNoneMatch, ifModifiedSince, ifUnmodifiedSince } = conditions;
  if (ifMatch !== undefined) {
    if (!matchesStrongly(ifMatch, validators.etag)) return 412;
  } else if (isLater(validators, ifUnmodifiedSince) === true) return 412;
  if (ifNoneMatch !== undefined) return matchesWeakly(ifNoneMatch, validators.etag) ? 304 : 0;
  return isLater(validators, ifModifiedSince) === false ? 304 : 0;
}

/** Whether Range counts (RFC 9110 section 13.1.5): without If-Range, or when If-Range names exactly this version. */
export function rangeApplies(ifRange: string | undefined, { etag, modifiedSeconds }: Validators): boolean {
  if (ifRange === undefined || ifRange === etag) return true;
  return modifiedSeconds !== null && parseHttpDate(ifRange) === modifiedSeconds;
}

/** Whether the representation changed after `date`; null when the field is absent or invalid, or the date of change is unknown. */
function isLater({ modifiedSeconds }: Validators, date: string | undefined): boolean | null {
  const seconds = date === undefined || modifiedSeconds === null ? null : parseHttpDate(date);
  return seconds === null || modifiedSeconds === null ? null : modifiedSeconds > seconds;
}

/** Strong comparison (RFC 9110 section 8.8.3.2): a weak tag never matches. */
function matchesStrongly(list: string, etag: string): boolean {
  return list === '*' || entityTags(list).includes(etag);
}

/** Weak comparison (RFC 9110 section 8.8.3.2): `W/` is ignored. */
function matchesWeakly(list: string, etag: string): boolean {
  return list === '*' || entityTags(list).some((tag) => tag === etag || tag === `W/${etag}`);
}

/** The tags of a list, up to the first malformed tag. A tag may contain commas. */
function entityTags(list: string): string[] {
  const element = /[\t ,]*((?:W\/)?"[\x21\x23-\x7e\x80-\xff]*")(?=[\t ]*(?:,|$))/y;
  const tags: string[] = [];
  for (let match = element.exec(list); match !== null; match = element.exec(list)) tags.push(match[1] as string);
  return tags;
}
