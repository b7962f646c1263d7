import type { Request } from '../http/message.ts';
import { type Conditions, countConditions } from './conditions.ts';
import { type Entry, type PathPattern, PathTable } from './path-table.ts';

/** The requests that belong to a route. The items of a list are alternatives; an empty list means no condition. */
export interface RouteMatch extends Conditions {
  /** `example.org`, or `*.example.org` for all names below it; in lower case. */
  readonly hosts: readonly string[];
  /** `/exact`, `/below/*` (includes `/below`), or `*`; not percent-encoded. */
  readonly paths: readonly string[];
  /** Patterns for the decoded path. */
  readonly patterns: readonly PathPattern[];
}

export interface Route<T> {
  readonly match: RouteMatch;
  readonly value: T;
}

/** Limit for cached host names, because attackers send many different ones. */
const HOSTS_MAX = 1000;

/**
 * Finds the route of a request. An exact host precedes the longest wildcard, longer wildcards precede shorter ones, and
 * routes without a host come last. Within a host, `PathTable` defines the order. When the conditions of a route are not
 * met, the next route is tried.
 *
 * A request without a host (HTTP/1.0) belongs to the SERVER_NAME of its listener, because applications read this name
 * as its host.
 */
export class Router<T> {
  readonly #anyHost = new PathTable<T>();
  readonly #hosts = new Map<string, PathTable<T>>();
  /** Cached tables by Host field. */
  readonly #cachedTables = new Map<string, readonly PathTable<T>[]>();

  readonly #serverNames: readonly string[];

  /** `serverNames` are the SERVER_NAME of the listeners, by index. */
  constructor(routes: readonly Route<T>[], serverNames: readonly string[] = []) {
    this.#serverNames = serverNames;
    for (const [order, { match, value }] of routes.entries()) {
      const entry: Entry<T> = { conditions: countConditions(match) === 0 ? null : match, order, value };
      const tables = match.hosts.length === 0 ? [this.#anyHost] : match.hosts.map((host) => this.#tableOf(host));
      const paths = match.paths.length + match.patterns.length === 0 ? ['*'] : match.paths;
      for (const table of tables) {
        for (const path of paths) table.addPath(path, entry);
        for (const pattern of match.patterns) table.addPattern(pattern, entry);
      }
    }
  }

  /** `path` is the request's `routingPath`. */
  find(request: Request, path: string): T | null {
    if (this.#hosts.size > 0) {
      for (const table of this.#tablesFor(request.host || this.#serverName(request))) {
        const entry = table.find(request, path);
        if (entry !== null) return entry.value;
      }
    }
    return this.#anyHost.find(request, path)?.value ?? null;
  }

  /** The name of the host that counts for `request`. */
  hostOf(request: Request): string {
    return hostName(request.host || this.#serverName(request));
  }

  #serverName({ peer }: Request): string {
    const name = this.#serverNames[peer.listener] ?? '';
    return name.includes(':') ? `[${name}]` : name;
  }

  #tableOf(host: string): PathTable<T> {
    const table = this.#hosts.get(host) ?? new PathTable<T>();
    this.#hosts.set(host, table);
    return table;
  }

  #tablesFor(field: string): readonly PathTable<T>[] {
    const cached = this.#cachedTables.get(field);
    if (cached !== undefined) return cached;
    const tables = namesFor(hostName(field)).flatMap((name) => this.#hosts.get(name) ?? []);
    if (this.#cachedTables.size >= HOSTS_MAX) this.#cachedTables.clear();
    this.#cachedTables.set(field, tables);
    return tables;
  }
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
