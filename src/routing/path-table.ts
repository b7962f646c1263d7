import type { Request } from '../http/message.ts';
import { type Conditions, countConditions, meets } from './conditions.ts';

/** A route in a table: its conditions besides host and path, null without any, and its position in the configuration. */
export interface Entry<T> {
  readonly conditions: Conditions | null;
  /** Whether its prefixes win over patterns. */
  readonly beforePatterns: boolean;
  readonly order: number;
  readonly value: T;
}

/** A pattern for paths or hosts, for example a regular expression. */
export interface PathPattern {
  /** The pattern as the configuration contains it. */
  readonly source: string;
  test(text: string): boolean;
}

const SLASH = 0x2f;

/**
 * The routes of one host by their paths. An exact path comes first, then patterns in the order of the configuration,
 * then the longest prefix. If the route of the longest prefix comes before patterns, these are not tried, as with
 * nginx's `^~`. Of routes with the same path, the one with more conditions comes first, then the order of the
 * configuration decides.
 */
export class PathTable<T> {
  readonly #exact = new Map<string, Entry<T>[]>();
  readonly #patterns: { readonly pattern: PathPattern; readonly entry: Entry<T> }[] = [];
  /** Keys end with a slash, except those of plain prefixes; '' is the prefix of every path and of `*`. */
  readonly #prefixes = new Map<string, Entry<T>[]>();
  /** Lengths of the prefixes, the longest first. */
  #lengths: number[] = [];
  /** Whether a prefix does not end with a slash. */
  #hasPlainPrefix = false;
  /** Whether a prefix wins over patterns. */
  #hasPrefixBeforePatterns = false;

  /** `path` is `/exact`, `/below/*`, `/start*`, or `*` for every path. */
  addPath(path: string, entry: Entry<T>): void {
    if (!path.endsWith('*')) {
      insert(this.#exact, path, entry);
      return;
    }
    const prefix = path.slice(0, -1);
    insert(this.#prefixes, prefix, entry);
    this.#hasPlainPrefix ||= prefix !== '' && !prefix.endsWith('/');
    this.#hasPrefixBeforePatterns ||= entry.beforePatterns;
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
    if (this.#hasPrefixBeforePatterns) {
      const first = this.#findPrefix(request, path);
      if (first?.beforePatterns === true) return first;
    }
    for (const { pattern, entry } of this.#patterns) {
      if (pattern.test(path) && (entry.conditions === null || meets(request, entry.conditions))) return entry;
    }
    return this.#findPrefix(request, path);
  }

  #findPrefix(request: Request, path: string): Entry<T> | null {
    for (const length of this.#lengths) {
      if (length > path.length + 1) continue;
      const prefix = prefixOf(path, length, this.#hasPlainPrefix);
      if (prefix === null) continue;
      const entry = firstThatMeets(this.#prefixes.get(prefix), request);
      if (entry !== null) return entry;
    }
    return null;
  }
}

/**
 * The first `length` characters of `path` if they end with a slash, or if prefixes `mayBePlain`; else null. `/docs/*`
 * includes `/docs`.
 */
function prefixOf(path: string, length: number, mayBePlain: boolean): string | null {
  if (length === 0) return '';
  if (length > path.length) return path.charCodeAt(length - 2) === SLASH ? null : `${path}/`;
  return mayBePlain || path.charCodeAt(length - 1) === SLASH ? path.slice(0, length) : null;
}

function insert<T>(table: Map<string, Entry<T>[]>, key: string, entry: Entry<T>): void {
  const entries = [...(table.get(key) ?? []), entry];
  entries.sort((a, b) => count(b) - count(a) || a.order - b.order);
  table.set(key, entries);
}

function count({ conditions }: Entry<unknown>): number {
  return conditions === null ? 0 : countConditions(conditions);
}

function firstThatMeets<T>(entries: readonly Entry<T>[] | undefined, request: Request): Entry<T> | null {
  if (entries === undefined) return null;
  for (const entry of entries) if (entry.conditions === null || meets(request, entry.conditions)) return entry;
  return null;
}
