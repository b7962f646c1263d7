import { type Expression, expressionOf, literal } from './expression.ts';
import { textOf } from './model/bytes.ts';
import type { Address, Server, ServerName } from './model/model.ts';

/** Names of a server that routes have as patterns, and where these come among those of an address. */
export interface HostPatterns {
  readonly server: Server;
  readonly patterns: readonly string[];
  readonly rank: number;
}

/**
 * The names of an address that are patterns, in the order in which nginx tries them: `name.*`, the longest first, then regular expressions. Neighbours
 * of one server are together.
 */
export function patternsAt(address: Address): readonly HostPatterns[] {
  const found = known.get(address) ?? findPatterns(address);
  known.set(address, found);
  return found;
}

const known = new WeakMap<Address, readonly HostPatterns[]>();

function findPatterns({ servers }: Address): HostPatterns[] {
  const names = servers.flatMap((server) => server.names.map((name) => ({ server, name })));
  const wildcards = names
    .filter(({ name }) => isTail(name))
    .sort((a, b) => textIn(b.name).split('.').length - textIn(a.name).split('.').length);
  const expressions = names.filter(({ name }) => name.kind === 'pattern');
  const groups: { server: Server; patterns: string[] }[] = [];
  const taken = new Set<string>();
  for (const { server, name } of [...wildcards, ...expressions]) {
    const pattern = hostPatternOf(name);
    if ('wrong' in pattern || taken.has(pattern.source)) continue;
    taken.add(pattern.source);
    const last = groups.at(-1);
    if (last?.server === server) last.patterns.push(pattern.source);
    else groups.push({ server, patterns: [pattern.source] });
  }
  return groups.map((group, rank) => ({ ...group, rank }));
}

/** The pattern of a name, or why it has none. */
export function hostPatternOf(name: ServerName): Expression {
  if (name.kind === 'name') return { source: `^${literal(textOf(name.name.slice(0, -1)))}.`, groups: [] };
  const source = textOf(name.pattern.source);
  // a host is in lower case
  const hasUpper = /[A-Z]/.test(source.replace(/\\.|\(\?P?<\w+>/g, ''));
  return expressionOf(source, hasUpper);
}

/** Whether a name ends with a wildcard. */
export function isTail(name: ServerName): boolean {
  return name.kind === 'name' && name.name.length > 2 && name.name.endsWith('.*');
}

function textIn(name: ServerName): string {
  return name.kind === 'name' ? name.name : '';
}
