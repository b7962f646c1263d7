import type { Request } from '../http/message.ts';
import { type Conditions, countConditions, meets } from './conditions.ts';

/** A route as a table keeps it: what it asks for beside its host and path, and where it stands in the configuration. */
export interface Entry<T> {
  readonly conditions: Conditions;
  readonly order: number;
  readonly value: T;
}

/** Such as a regular expression. */
export interface PathPattern {
  /** As it was written. */
  readonly source: string;
  test(path: string): boolean;
}

const SLASH = 0x2f;

/**
 * The routes of one host by their paths: an exact path is found before a pattern, patterns in the order of the configuration, then the
 * longest prefix. What two routes have the same path for, the one with more conditions gets, then the first.
 */
export class PathTable<T> {
  readonly #exact = new Map<string, Entry<T>[]>();
  readonly #patterns: { readonly pattern: PathPattern; readonly entry: Entry<T> }[] = [];
  /** Keys end with a slash; '' is the prefix of every path and of `*`. */
  readonly #prefixes = new Map<string, Entry<T>[]>();
  /** Lengths of the prefixes, the longest first. */
  #lengths: number[] = [];

  /** `path` is `/exact`, `/below/*`, or `*` for every one. */
  addPath(path: string, entry: Entry<T>): void {
    if (!path.endsWith('*')) {
      insert(this.#exact, path, entry);
      return;
    }
    const prefix = path.slice(0, -1);
    insert(this.#prefixes, prefix, entry);
    if (!this.#lengths.includes(prefix.length)) this.#lengths.push(prefix.length);
    this.#lengths.sort((a, b) => b - a);
  }

  addPattern(pattern: PathPattern, entry: Entry<T>): void {
    this.#patterns.push({ pattern, entry });
  }

  /** `path` is a `routingPath`. */
  find(request: Request, path: string): Entry<T> | null {
    const exact = firstThatMeets(this.#exact.get(path), request);
    if (exact !== null) return exact;
    for (const { pattern, entry } of this.#patterns) {
      if (pattern.test(path) && meets(request, entry.conditions)) return entry;
    }
    for (const length of this.#lengths) {
      if (length > path.length + 1) continue;
      const prefix = prefixOf(path, length);
      if (prefix === null) continue;
      const found = firstThatMeets(this.#prefixes.get(prefix), request);
      if (found !== null) return found;
    }
    return null;
  }
}

/** The first `length` characters of `path`, when they end with a slash. `/docs/*` has `/docs` too. */
function prefixOf(path: string, length: number): string | null {
  if (length === 0) return '';
  if (length > path.length) return path.charCodeAt(length - 2) === SLASH ? null : `${path}/`;
  return path.charCodeAt(length - 1) === SLASH ? path.slice(0, length) : null;
}

function insert<T>(table: Map<string, Entry<T>[]>, key: string, entry: Entry<T>): void {
  const entries = [...(table.get(key) ?? []), entry];
  entries.sort((a, b) => countConditions(b.conditions) - countConditions(a.conditions) || a.order - b.order);
  table.set(key, entries);
}

function firstThatMeets<T>(entries: readonly Entry<T>[] | undefined, request: Request): Entry<T> | null {
  if (entries === undefined) return null;
  for (const entry of entries) if (meets(request, entry.conditions)) return entry;
  return null;
}
