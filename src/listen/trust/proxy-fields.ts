import type { HeaderList } from '../../http/message.ts';

/**
 * The kinds of fields with regard to trust:
 * - `ordinary`: does not concern trust
 * - `request id`: X-Request-ID, which anybody may send; only that of a trusted proxy is the id of the request in the logs
 * - `forwarded`: the field `Forwarded`
 * - `read`: X-Real-IP and the X-Forwarded-* that this server reads
 * - `passed on`: any other X-Forwarded-*, which is passed on if a trusted proxy sent it and may state it
 * - `never`: a name that CGI would confuse with one of these, such as `X_Real_IP`; it is never trusted
 */
export type FieldKind = 'ordinary' | 'request id' | 'forwarded' | 'read' | 'passed on' | 'never';

const READ: ReadonlySet<string> = new Set([
  'x-real-ip',
  'x-forwarded-for',
  'x-forwarded-proto',
  'x-forwarded-host',
  'x-forwarded-port',
]);

const LETTER_F = 0x66;
const LETTER_R = 0x72;
const LETTER_X = 0x78;
/** The length of `forwarded` and `x-real-ip`; the other names are longer and have an F after `x-`, or are `x-request-id`. */
const LENGTH_MIN = 9;
const REQUEST_ID = 'x-request-id';
const KNOWN_MAX = 256;
const KNOWN_LENGTH_MAX = 64;

/** The kinds of names that needed a closer look. The map has a limit: `KNOWN_MAX`. */
const known = new Map<string, FieldKind>();

/** The kind of the field `name`. For nearly all names their length and two letters show that they are ordinary. */
export function fieldKind(name: string): FieldKind {
  if (name.length < LENGTH_MIN) return 'ordinary';
  const first = name.charCodeAt(0) | 0x20;
  if (first !== LETTER_X && first !== LETTER_F) return 'ordinary';
  if (name.length > LENGTH_MIN) {
    const third = name.charCodeAt(2) | 0x20;
    if (third !== LETTER_F && (third !== LETTER_R || name.length !== REQUEST_ID.length)) return 'ordinary';
  }
  const before = known.get(name);
  if (before !== undefined) return before;
  const kind = classify(name.toLowerCase());
  if (known.size >= KNOWN_MAX) known.clear();
  if (name.length <= KNOWN_LENGTH_MAX) known.set(name, kind);
  return kind;
}

/** Classifies a name that needs a closer look. CGI uses the same variable for a hyphen and an underscore. */
function classify(lower: string): FieldKind {
  if (lower === REQUEST_ID) return 'request id';
  const name = lower.replaceAll('_', '-');
  if (name !== 'forwarded' && !READ.has(name) && !name.startsWith('x-forwarded-')) return 'ordinary';
  if (name !== lower) return 'never';
  if (name === 'forwarded') return 'forwarded';
  return READ.has(name) ? 'read' : 'passed on';
}

/** The fields that clients may send, as `[name, value, …]`. */
export function ordinaryFields(headers: HeaderList): string[] {
  const fields: string[] = [];
  for (let i = 0; i < headers.length; i += 2) {
    const kind = fieldKind(headers[i] as string);
    if (kind === 'ordinary' || kind === 'request id') fields.push(headers[i] as string, headers[i + 1] as string);
  }
  return fields;
}

/** The fields of `kind` whose names `accepts`, as `[name, value, …]`. */
export function onlyFields(headers: HeaderList, kind: FieldKind, accepts = (_name: string) => true): string[] {
  const fields: string[] = [];
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i] as string;
    if (fieldKind(name) === kind && accepts(name)) fields.push(name, headers[i + 1] as string);
  }
  return fields;
}
