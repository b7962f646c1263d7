import type { HeaderList } from './message.ts';

/**
 * A set of field names. Upper and lower case are the same, and `_` counts as `-`, because both become the same CGI variable.
 * Otherwise a client could send a field in the name of a handler.
 */
export class FieldNames {
  readonly #names: ReadonlySet<string>;

  constructor(names: Iterable<string>) {
    this.#names = new Set(Array.from(names, folded));
  }

  get size(): number {
    return this.#names.size;
  }

  has(name: string): boolean {
    return this.#names.has(folded(name));
  }
}

/** `headers` without the fields `names`. */
export function withoutFields(headers: HeaderList, names: FieldNames): string[] {
  const kept: string[] = [];
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i] as string;
    if (!names.has(name)) kept.push(name, headers[i + 1] as string);
  }
  return kept;
}

function folded(name: string): string {
  const lower = name.toLowerCase();
  return lower.includes('_') ? lower.replaceAll('_', '-') : lower;
}
