import type { HeaderList } from '../../http/message.ts';

/**
 * What a field is to trust: an `ordinary` one, `Forwarded`, one of the X-Forwarded-* and X-Real-IP that are `read`, another X-Forwarded-* that a
 * trusted proxy may send and that is `passed on`, or one that CGI would take for one of these and that is `never` believed.
 */
export type FieldKind = 'ordinary' | 'forwarded' | 'read' | 'passed on' | 'never';

const READ: ReadonlySet<string> = new Set([
  'x-real-ip',
  'x-forwarded-for',
  'x-forwarded-proto',
  'x-forwarded-host',
  'x-forwarded-port',
]);

const LETTER_F = 0x66;
const LETTER_X = 0x78;
/** The length of `forwarded` and `x-real-ip`; all others are longer and have an F behind `x-`. */
const LENGTH_MIN = 9;
const KNOWN_MAX = 256;
const KNOWN_LENGTH_MAX = 64;

/** Names that looked like a claim, and what they are. Bounded. */
const known = new Map<string, FieldKind>();

/** Nearly every name is known by its length and two letters to be ordinary. */
export function fieldKind(name: string): FieldKind {
  if (name.length < LENGTH_MIN) return 'ordinary';
  const first = name.charCodeAt(0) | 0x20;
  if (first !== LETTER_X && first !== LETTER_F) return 'ordinary';
  if (name.length > LENGTH_MIN && (name.charCodeAt(2) | 0x20) !== LETTER_F) return 'ordinary';
  const before = known.get(name);
  if (before !== undefined) return before;
  const kind = classify(name.toLowerCase());
  if (known.size >= KNOWN_MAX) known.clear();
  if (name.length <= KNOWN_LENGTH_MAX) known.set(name, kind);
  return kind;
}

/** CGI makes one key of a hyphen and an underscore. */
function classify(lower: string): FieldKind {
  const name = lower.replaceAll('_', '-');
  if (name !== 'forwarded' && !READ.has(name) && !name.startsWith('x-forwarded-')) return 'ordinary';
  if (name !== lower) return 'never';
  if (name === 'forwarded') return 'forwarded';
  return READ.has(name) ? 'read' : 'passed on';
}

/** Whether any field but ordinary ones is there. */
export function hasClaims(headers: HeaderList): boolean {
  for (let i = 0; i < headers.length; i += 2) if (fieldKind(headers[i] as string) !== 'ordinary') return true;
  return false;
}

/** The fields of one kind. */
export function onlyFields(headers: HeaderList, kind: FieldKind): string[] {
  const fields: string[] = [];
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i] as string;
    if (fieldKind(name) === kind) fields.push(name, headers[i + 1] as string);
  }
  return fields;
}
