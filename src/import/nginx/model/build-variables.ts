import type { Directive } from '../tree.ts';
import type { VariableMap, VariableSource } from './model.ts';
import { type Network, parseNetwork } from './network.ts';
import { type Pattern, parsePattern } from './pattern.ts';
import { parseTemplate, type Template } from './template.ts';

/** Blocks that declare a variable in a way that is not interpreted, and where its name stands. */
const OPAQUE: Readonly<Record<string, number>> = { geo: -1, split_clients: 1, perl_set: 0, js_set: 0 };

/** All variables that a configuration declares. */
export function buildVariables(http: readonly Directive[]): Map<string, VariableSource> {
  const found = new Map<string, VariableSource>();
  collectAssigned(http, found);
  for (const directive of http) {
    const { name, args } = directive;
    const at = OPAQUE[name];
    const geo = name === 'geo' ? geoOf(directive) : null;
    if (geo !== null) found.set(bare(args.at(-1)), { kind: 'map', map: geo });
    else if (name === 'map') found.set(bare(args[1]), { kind: 'map', map: mapOf(directive) });
    else if (at !== undefined) found.set(bare(args.at(at)), { kind: 'opaque', statement: directive });
  }
  return found;
}

function bare(name = ''): string {
  return name.replace(/^\$/, '');
}

/** `set` and named groups of patterns. */
function collectAssigned(directives: readonly Directive[], found: Map<string, VariableSource>): void {
  for (const { name, args, block } of directives) {
    if (name === 'set') found.set(bare(args[0]), { kind: 'assigned' });
    if (name === 'auth_request_set')
      found.set(bare(args[0]), { kind: 'opaque', statement: directives[0] as Directive });
    const holdsPattern = name === 'location' || name === 'if' || name === 'rewrite' || name === 'server_name';
    for (const arg of holdsPattern ? args : [])
      for (const [, group = ''] of arg.matchAll(/\(\?P?<(\w+)>/g)) found.set(group, { kind: 'assigned' });
    if (name === 'map')
      for (const { name: key } of block ?? [])
        for (const [, group = ''] of key.matchAll(/\(\?P?<(\w+)>/g)) found.set(group, { kind: 'assigned' });
    if (block !== null && name !== 'map' && name !== 'geo') collectAssigned(block, found);
  }
}

function mapOf(directive: Directive): VariableMap {
  const exact = new Map<string, ReturnType<typeof parseTemplate>>();
  const patterns: { pattern: Pattern; value: ReturnType<typeof parseTemplate> }[] = [];
  let otherwise = parseTemplate('');
  const flags = new Set<string>();
  for (const { name, args } of directive.block ?? []) {
    const value = parseTemplate(args[0] ?? '');
    if (args.length === 0) flags.add(name);
    else if (name === 'default') otherwise = value;
    else if (name.startsWith('~*')) patterns.push({ pattern: parsePattern(name.slice(2), true), value });
    else if (name.startsWith('~')) patterns.push({ pattern: parsePattern(name.slice(1), false), value });
    else exact.set(name.replace(/^\\/, '').toLowerCase(), value);
  }
  return {
    statement: directive,
    source: parseTemplate(directive.args[0] ?? ''),
    hostnames: flags.has('hostnames'),
    isVolatile: flags.has('volatile'),
    exact,
    patterns,
    networks: [],
    otherwise,
  };
}

/** A `geo` of networks; null if it has ranges from one address to another, or takes the address from a proxy. */
function geoOf(directive: Directive): VariableMap | null {
  const networks = new Map<string, { network: Network; value: Template }>();
  let otherwise: Template = [];
  for (const { name, args } of directive.block ?? []) {
    if (args.length !== 1) return null;
    const value: Template = args[0] === '' ? [] : [{ kind: 'text', text: args[0] as string }];
    if (name === 'default') otherwise = value;
    else if (name === 'delete') networks.delete(args[0] as string);
    else {
      const network = parseNetwork(name);
      if (network === null) return null;
      networks.set(name, { network, value });
    }
  }
  const source = directive.args.length > 1 ? (directive.args[0] as string) : '$remote_addr';
  return {
    statement: directive,
    source: parseTemplate(source),
    hostnames: false,
    isVolatile: false,
    exact: new Map(),
    patterns: [],
    networks: [...networks.values()].sort((a, b) => b.network.prefixBits - a.network.prefixBits),
    otherwise,
  };
}
