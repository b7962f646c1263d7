/** Fields that the connection itself acts on. */
export type FieldKind =
  | 'other'
  | 'host'
  | 'content-length'
  | 'content-type'
  | 'transfer-encoding'
  | 'connection'
  | 'expect'
  | 'upgrade';

/** A field name in one spelling. All spellings share `identity`. */
export interface FieldName {
  readonly text: string;
  readonly identity: FieldIdentity;
}

export interface FieldIdentity {
  readonly lower: string;
  readonly kind: FieldKind;
  /** Number of the last head that contained the name: a repetition within one head shows without a list. */
  seenIn: number;
}

const KINDS: ReadonlySet<string> = new Set<FieldKind>([
  'host',
  'content-length',
  'content-type',
  'transfer-encoding',
  'connection',
  'expect',
  'upgrade',
]);
const NAMES_MAX = 1024;
const NAME_LENGTH_MAX = 64;

const names = new Map<string, FieldName>();
const identities = new Map<string, FieldIdentity>();

/** Grows when all names are forgotten: from then on, `FieldName`s that were kept elsewhere are outdated. */
export let nameGeneration = 0;

/** Looks up the field name `text`, which must be a token; undefined for a new name. */
export function knownFieldName(text: string): FieldName | undefined {
  return names.get(text);
}

/**
 * Adds the field name `text`. The number of names is limited: when clients have filled the map with useless names, all names are
 * forgotten, and the names in use are added again.
 */
export function learnFieldName(text: string): FieldName {
  if (names.size >= NAMES_MAX) {
    names.clear();
    identities.clear();
    nameGeneration += 1;
  }
  const lower = text.toLowerCase();
  let identity = identities.get(lower);
  if (identity === undefined) {
    identity = { lower, kind: KINDS.has(lower) ? (lower as FieldKind) : 'other', seenIn: 0 };
  }
  const name = { text, identity };
  if (text.length <= NAME_LENGTH_MAX) {
    identities.set(lower, identity);
    names.set(text, name);
  }
  return name;
}
