import type { Request } from '../http/message.ts';
import { type Conditions, countConditions } from './conditions.ts';
import { type Entry, type PathPattern, PathTable } from './path-table.ts';

/** An address that the server listens on. */
export interface ListenCondition {
  /** As the configuration has it. */
  readonly address: string;
  /** The listeners that are bound to it or were before, by index. */
  readonly listeners: readonly number[];
}

/** The requests that belong to a route. The items of a list are alternatives; an empty list means no condition. */
export interface RouteMatch extends Conditions {
  /** The addresses over which the requests come. */
  readonly listen: readonly ListenCondition[];
  /** `example.org`, or `*.example.org` for all names below it; in lower case. */
  readonly hosts: readonly string[];
  /** Patterns for the name of the host, in lower case and without port. */
  readonly hostPatterns: readonly PathPattern[];
  /** `/exact`, `/below/*` (includes `/below`), `/start*`, or `*`; not percent-encoded. */
  readonly paths: readonly string[];
  /** Patterns for the decoded path. */
  readonly patterns: readonly PathPattern[];
  /** Whether its prefixes win over the patterns of other routes. */
  readonly beforePatterns: boolean;
}

export interface Route<T> {
  readonly match: RouteMatch;
  readonly value: T;
}

/** Limit for cached host names, because attackers send many different ones. */
const HOSTS_MAX = 1000;

/**
 * Finds the route of a request. The routes that name its listener come first, then those without an address. Among them, an exact host precedes the longest wildcard, longer wildcards precede shorter ones, then
 * come patterns for hosts in the order of the routes, and
 * routes without a host come last. Within a host, `PathTable` defines the order. When the conditions of a route are not
 * met, the next route is tried.
 *
 * A request without a host (HTTP/1.0) belongs to the SERVER_NAME of its listener, because applications read this name
 * as its host.
 */
export class Router<T> {
  readonly #anyListener = new HostTable<T>();
  /** The routes that name a listener, by its index. */
  readonly #listeners = new Map<number, HostTable<T>>();
  readonly #serverNames: readonly string[];

  /** `serverNames` are the SERVER_NAME of the listeners, by index. */
  constructor(routes: readonly Route<T>[], serverNames: readonly string[] = []) {
    this.#serverNames = serverNames;
    for (const [order, { match, value }] of routes.entries()) {
      const conditions = countConditions(match) === 0 ? null : match;
      const entry: Entry<T> = { conditions, beforePatterns: match.beforePatterns, order, value };
      const listeners = new Set(match.listen.flatMap((one) => one.listeners));
      if (match.listen.length === 0) this.#anyListener.add(match, entry);
      else for (const listener of listeners) this.#tableOf(listener).add(match, entry);
    }
  }

  /** `path` is the request's `routingPath`. */
  find(request: Request, path: string): T | null {
    if (this.#listeners.size > 0) {
      const own = this.#listeners.get(request.peer.listener);
      const entry = own?.find(request, path, this.#serverNames) ?? null;
      if (entry !== null) return entry.value;
    }
    return this.#anyListener.find(request, path, this.#serverNames)?.value ?? null;
  }

  /** The name of the host that counts for `request`. */
  hostOf(request: Request): string {
    return hostName(request.host || serverName(request, this.#serverNames));
  }

  #tableOf(listener: number): HostTable<T> {
    const table = this.#listeners.get(listener) ?? new HostTable<T>();
    this.#listeners.set(listener, table);
    return table;
  }
}

/** The routes of one listener, or of all listeners, by their hosts. */
class HostTable<T> {
  readonly #anyHost = new PathTable<T>();
  readonly #hosts = new Map<string, PathTable<T>>();
  readonly #patterns: { readonly pattern: PathPattern; readonly table: PathTable<T> }[] = [];
  /** Cached tables by Host field. */
  readonly #cachedTables = new Map<string, readonly PathTable<T>[]>();

  add({ hosts, hostPatterns, paths, patterns }: RouteMatch, entry: Entry<T>): void {
    const own = [
      ...hosts.map((host) => this.#tableOf(host)),
      ...hostPatterns.map((pattern) => this.#tableOfPattern(pattern)),
    ];
    const tables = own.length === 0 ? [this.#anyHost] : own;
    for (const table of tables) {
      for (const path of paths.length + patterns.length === 0 ? ['*'] : paths) table.addPath(path, entry);
      for (const pattern of patterns) table.addPattern(pattern, entry);
    }
  }

  find(request: Request, path: string, serverNames: readonly string[]): Entry<T> | null {
    if (this.#hosts.size + this.#patterns.length > 0) {
      for (const table of this.#tablesFor(request.host || serverName(request, serverNames))) {
        const entry = table.find(request, path);
        if (entry !== null) return entry;
      }
    }
    return this.#anyHost.find(request, path);
  }

  #tableOf(host: string): PathTable<T> {
    const table = this.#hosts.get(host) ?? new PathTable<T>();
    this.#hosts.set(host, table);
    return table;
  }

  #tableOfPattern(pattern: PathPattern): PathTable<T> {
    const known = this.#patterns.find((one) => one.pattern.source === pattern.source);
    if (known !== undefined) return known.table;
    const table = new PathTable<T>();
    this.#patterns.push({ pattern, table });
    return table;
  }

  #tablesFor(field: string): readonly PathTable<T>[] {
    const cached = this.#cachedTables.get(field);
    if (cached !== undefined) return cached;
    const host = hostName(field);
    const tables = [
      ...namesFor(host).flatMap((name) => this.#hosts.get(name) ?? []),
      ...this.#patterns.filter(({ pattern }) => pattern.test(host)).map(({ table }) => table),
    ];
    if (this.#cachedTables.size >= HOSTS_MAX) this.#cachedTables.clear();
    this.#cachedTables.set(field, tables);
    return tables;
  }
}

/** The name of the listener of a request, as a Host field has it. */
function serverName({ peer }: Request, serverNames: readonly string[]): string {
  const name = serverNames[peer.listener] ?? '';
  return name.includes(':') ? `[${name}]` : name;
}

/** The name in a Host field: without port and final dot, in lower case. An IPv6 address keeps its brackets. */
export function hostName(field: string): string {
  const name = field.replace(/:\d*$/, '').toLowerCase();
  return name.endsWith('.') ? name.slice(0, -1) : name;
}

/** Whether a host is `pattern`: the same name, or one below it for a wildcard. */
export function hostMatches(host: string, pattern: string): boolean {
  return namesFor(host).includes(pattern);
}

/** The names and wildcards that match `host`, the most exact first: `a.b.c`, `*.b.c`, `*.c`. */
export function namesFor(host: string): string[] {
  const names = [host];
  for (let dot = host.indexOf('.'); dot >= 0; dot = host.indexOf('.', dot + 1)) names.push(`*${host.slice(dot)}`);
  return names;
}
