import type { ImportReport } from '../import-report.ts';
import type { Listen, Location, Server } from './context.ts';
import { expressionOf, literal } from './expression.ts';
import { readListen } from './listen.ts';
import { Scope } from './scope.ts';
import type { Directive } from './tree.ts';

/** Reads the servers of an `http` block. */
export function readServers(http: Scope, report: ImportReport): Server[] {
  const servers = http.own('server').map((directive) => readServer(directive, http, report));
  const defaults = new Map<string, Server>();
  for (const server of servers) {
    for (const { address, isDefault } of addressesOf(server)) {
      if (isDefault || !defaults.has(address)) defaults.set(address, server);
    }
  }
  const chosen = new Set(defaults.values());
  return servers.map((server) => ({ ...server, isDefault: chosen.has(server) }));
}

function addressesOf({ listens }: Server): readonly Pick<Listen, 'address' | 'isDefault'>[] {
  return listens.length === 0 ? [{ address: '0.0.0.0:80', isDefault: false }] : listens;
}

function readServer(directive: Directive, http: Scope, report: ImportReport): Server {
  const scope = new Scope(directive.block ?? [], http, report);
  const isOld = scope.own('ssl').some(({ args }) => args[0] === 'on');
  const read = scope.own('listen').flatMap((one) => readListen(one, report) ?? []);
  const listens = read.map((listen) => ({ ...listen, secure: listen.secure || isOld }));
  const nameDirectives = scope.own('server_name');
  return {
    directive,
    scope,
    listens,
    names: [...new Set(nameDirectives.flatMap((one) => one.args.flatMap((name) => hostsOf(name, one, report))))],
    nameDirectives,
    locations: readLocations(scope, report),
    isDefault: false,
    isSecure: listens.some((listen) => listen.secure),
  };
}

/** A name in the form that routes use. `_` and the empty name are not hosts. */
function hostsOf(name: string, directive: Directive, report: ImportReport): string[] {
  const lower = name.toLowerCase();
  if (lower === '_' || lower === '') return [];
  if (lower.startsWith('~'))
    report.lost(directive, `"${name}": hosts cannot be regular expressions; list them, or use *.NAME`);
  else if (lower.endsWith('.*')) report.lost(directive, `"${name}": a wildcard must come first`);
  else if (/^\.[^\s/*:]+$/.test(lower)) return [lower.slice(1), `*${lower}`];
  else if (/^(?:\*\.)?[^\s/*:$]+$/.test(lower)) return [lower];
  else report.lost(directive, `"${name}" is not a host`);
  return [];
}

/** All locations of a block, nested ones included. */
function readLocations(scope: Scope, report: ImportReport, outer: Location | null = null): Location[] {
  return scope.own('location').flatMap((directive) => {
    const inner = new Scope(directive.block ?? [], scope, report);
    const location = within(readLocation(directive, inner, report), outer, report);
    return [...readLocations(inner, report, location), ...(location === null ? [] : [location])];
  });
}

/** A pattern nested in a location matches only paths of that location. */
function within(location: Location | null, outer: Location | null, report: ImportReport): Location | null {
  if (location?.kind !== 'pattern' || outer === null || outer.path === '/') return location;
  const prefix = `^${literal(outer.path)}`;
  if (outer.kind !== 'pattern' && location.path.startsWith(prefix)) return location;
  if (outer.kind !== 'pattern' && !/^\^|\|/.test(location.path))
    return { ...location, path: `${prefix}.*${location.path}` };
  report.lost(location.directive, `it matches only below ${outer.path}, and one pattern cannot express both`);
  return null;
}

function readLocation(directive: Directive, scope: Scope, report: ImportReport): Location | null {
  const [first = '', second] = directive.args.length === 1 ? splitModifier(directive.args[0] ?? '') : directive.args;
  const path = second ?? first;
  const common = { directive, scope, path, groups: [] };
  if (second === undefined && path.startsWith('@')) return { ...common, kind: 'named' };
  if ((second === undefined || !first.startsWith('~')) && !/^\/[^\p{C}]*$/u.test(path)) {
    report.lost(directive, 'it is not a path');
    return null;
  }
  if (second === undefined) return { ...common, kind: 'prefix' };
  if (first === '=') return { ...common, kind: 'exact' };
  if (first === '^~') return { ...common, kind: 'first' };
  const expression = expressionOf(path, first === '~*');
  if ('wrong' in expression) {
    report.lost(directive, expression.wrong);
    return null;
  }
  return { ...common, kind: 'pattern', path: expression.source, groups: expression.groups };
}

/** `location =/x` and `location ~\.php$` need no space. */
function splitModifier(text: string): string[] {
  const [, modifier, path] = /^(=|\^~|~\*|~)(.+)$/.exec(text) ?? [];
  return modifier === undefined || path === undefined ? [text] : [modifier, path];
}

/** The location that nginx chooses for a path; null if none matches. */
export function locationFor(path: string, { locations }: Server): Location | null {
  const exact = locations.find((one) => one.kind === 'exact' && one.path === path);
  if (exact !== undefined) return exact;
  const prefixes = locations.filter(
    (one) => (one.kind === 'prefix' || one.kind === 'first') && path.startsWith(one.path),
  );
  const longest = prefixes.reduce<Location | null>(
    (best, one) => (best === null || one.path.length > best.path.length ? one : best),
    null,
  );
  if (longest?.kind === 'first') return longest;
  return locations.find((one) => one.kind === 'pattern' && new RegExp(one.path).test(path)) ?? longest;
}
