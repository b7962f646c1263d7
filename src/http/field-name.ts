/** What the server itself has to know of a field. */
export type FieldKind =
  | 'other'
  | 'host'
  | 'content-length'
  | 'content-type'
  | 'transfer-encoding'
  | 'connection'
  | 'expect'
  | 'upgrade';

/** A field name as some client wrote it. Each is made once, so that a request costs a look-up and no check. */
export interface FieldName {
  readonly text: string;
  readonly kind: FieldKind;
  /** The head that the name was last seen in, in any spelling. */
  readonly mark: { seenIn: number };
  /** False for a name that there was no more memory for: whether it repeats is not known. */
  readonly remembered: boolean;
}

const NAMES_MAX = 1024;
const names = new Map<string, FieldName>();
const marks = new Map<string, FieldName['mark']>();

const KINDS = new Set<string>([
  'host',
  'content-length',
  'content-type',
  'transfer-encoding',
  'connection',
  'expect',
  'upgrade',
]);

/** The entry of `text`, which must be a token. */
export function fieldName(text: string): FieldName {
  return names.get(text) ?? learn(text);
}

function learn(text: string): FieldName {
  const lower = text.toLowerCase();
  const kind = (KINDS.has(lower) ? lower : 'other') as FieldKind;
  const remembered = names.size < NAMES_MAX;
  const mark = marks.get(lower) ?? { seenIn: 0 };
  const name = { text, kind, mark, remembered };
  if (remembered) {
    marks.set(lower, mark);
    names.set(text, name);
  }
  return name;
}
