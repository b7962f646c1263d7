import { ConfigBuilder } from '../config-builder.ts';
import { writeAnswer } from './answers.ts';
import type { Location, NginxContext, Server } from './context.ts';
import { literal } from './expression.ts';
import { writeFeatures } from './features.ts';
import { readRewrite } from './redirects.ts';
import { locationFor } from './servers.ts';
import type { Directive } from './tree.ts';

/** Shared by all routes of a server: which requests they match, and more. */
export interface RouteScope {
  /** Empty for the default server. */
  readonly hosts: readonly string[];
  /** The directive that redirects to HTTPS, and the port there. */
  readonly toHttps: { readonly from: readonly Directive[]; readonly port: number } | null;
  /** The locations that are carried over. */
  readonly locations: readonly Location[];
  /** Whether the server itself answers requests that no location matches. */
  readonly answersRest: boolean;
}

/** Writes the routes of a server. */
export function writeRoutes(server: Server, place: RouteScope, context: NginxContext): void {
  const { scope } = server;
  const whole = wholeOf(server);
  if (scope.own('return').length > 0) {
    for (const { directive } of place.locations)
      context.report.lost(directive, 'the server answers every request with a return');
    if (place.answersRest) writeRoute(whole, server, place, context);
    return;
  }
  writeRedirects(scope.own('rewrite'), whole, server, place, context);
  for (const location of ordered(place.locations)) {
    if (location.kind === 'named') continue;
    writeRedirects(location.scope.own('rewrite'), location, server, place, context);
    writeRoute(location, server, place, context);
  }
  const hasRest = place.locations.some(({ kind, path }) => (kind === 'prefix' || kind === 'first') && path === '/');
  if (!hasRest && place.answersRest) writeRoute(whole, server, place, context);
}

/** The server itself, as a location for all other requests. */
function wholeOf({ directive, scope }: Server): Location {
  return { directive, scope, kind: 'prefix', path: '/', groups: [] };
}

/** In Viaduct, a location that wins over patterns must itself be an earlier pattern. */
function ordered(locations: readonly Location[]): Location[] {
  const first = locations.filter((one) => goesFirst(one, locations)).sort((a, b) => b.path.length - a.path.length);
  return [...first, ...locations.filter((one) => !first.includes(one))];
}

/** `^~` wins over patterns. So locations below it must come before it. */
function goesFirst({ kind, path }: Location, locations: readonly Location[]): boolean {
  if (!locations.some((one) => one.kind === 'pattern')) return false;
  if (kind === 'first') return path !== '/';
  return (
    kind === 'prefix' && locations.some((one) => one.kind === 'first' && one.path !== '/' && path.startsWith(one.path))
  );
}

function writeRoute(location: Location, server: Server, place: RouteScope, context: NginxContext): void {
  const route = routeFor(server, place, context);
  writeMatch(route, location, place, context);
  const [internal] = location.scope.own('internal');
  if (internal !== undefined) {
    route.set('internal', true, internal);
    writeRefusal(404, internal, location, server, place, context);
  }
  const { by, scope } = writeAnswer(route, location, server, context);
  writeFeatures(route, scope, server, context, by);
  writeMethods(route, location, server, place, context);
}

/** `limit_except GET { deny all; }`: a second route refuses the other methods. */
function writeMethods(
  route: ConfigBuilder,
  location: Location,
  server: Server,
  place: RouteScope,
  context: NginxContext,
): void {
  const directive = location.scope.directives.find(({ name }) => name === 'limit_except');
  const inner = directive?.block?.map(({ name, args }) => `${name} ${args.join(' ')}`);
  const isPlain = inner?.length === 1 && inner[0] === 'deny all';
  if (directive === undefined || !isPlain || !directive.args.every((one) => /^[A-Z]+$/.test(one))) return;
  for (const one of [directive, ...(directive.block ?? [])]) context.report.took(one);
  route.set('methods', [...directive.args], directive);
  writeRefusal(403, directive, location, server, place, context);
}

/** A second route for the same path, so that its other requests do not reach another location. */
function writeRefusal(
  status: number,
  from: Directive,
  location: Location,
  server: Server,
  place: RouteScope,
  context: NginxContext,
): void {
  const route = routeFor(server, place, context);
  writeMatch(route, location, place, context);
  route.table('respond').set('status', status, from);
  writeFeatures(route, location.scope, server, context, 'return');
}

function routeFor(
  { nameDirectives }: Server,
  { hosts, toHttps }: RouteScope,
  { builder }: NginxContext,
): ConfigBuilder {
  const route = builder.append('route', new ConfigBuilder());
  const [host, ...more] = hosts;
  if (host !== undefined) route.set('host', more.length === 0 ? host : hosts, ...nameDirectives);
  if (toHttps?.port === 443) route.set('https_redirect', true, ...toHttps.from);
  else if (toHttps !== null) route.table('https_redirect').set('port', toHttps.port, ...toHttps.from);
  return route;
}

function writeMatch(
  route: ConfigBuilder,
  location: Location,
  { locations }: RouteScope,
  { report }: NginxContext,
): void {
  const { directive, kind, path } = location;
  report.took(directive);
  if (kind === 'pattern') route.set('path_pattern', path, directive);
  else if (kind === 'exact' && path.includes('*')) route.set('path_pattern', `^${literal(path)}$`, directive);
  else if (kind === 'exact') route.set('path', path, directive);
  else if (path === '/') return;
  else if (goesFirst(location, locations)) {
    if (kind === 'prefix') report.differs(directive, 'it wins over patterns, as the enclosing ^~ does');
    route.set('path_pattern', `^${literal(path)}`, directive);
  } else if (path.includes('*')) {
    report.differs(directive, 'a path with a star is written as a pattern');
    route.set('path_pattern', `^${literal(path)}`, directive);
  } else if (path.endsWith('/')) route.set('path', `${path}*`, directive);
  else if (/\.\w+$/.test(path)) route.set('path', path, directive);
  else {
    report.differs(directive, `it matches ${path} and paths below it, not ${path}more`);
    route.set('path', `${path}/*`, directive);
  }
}

/** `rewrite … permanent`, `redirect` and `last` become routes of their own. */
function writeRedirects(
  rewrites: readonly Directive[],
  location: Location,
  server: Server,
  place: RouteScope,
  context: NginxContext,
): void {
  for (const directive of rewrites) {
    const isServer = location.directive === server.directive;
    const isInner = !isServer && !['permanent', 'redirect', 'last'].includes(directive.args[2] ?? '');
    if (isInner && !/^(?:https?:|\$scheme)/.test(directive.args[1] ?? '')) continue;
    const rewrite = readRewrite(directive, context, server);
    if (rewrite === null) continue;
    const isWhole = location.kind === 'prefix' && location.path === '/';
    if (!isWhole && !rewrite.pattern.startsWith('^')) {
      context.report.lost(directive, 'a pattern that does not start with ^ would match other locations too');
      continue;
    }
    const target = rewrite.status === null ? targetOf(rewrite.to, server) : null;
    if (rewrite.status === null && target === null) {
      context.report.lost(directive, 'its target has no location with backends or with files below root');
      continue;
    }
    const route = routeFor(server, place, context);
    route.set('path_pattern', rewrite.pattern, directive);
    const table = route.table(target === null ? 'redirect' : 'rewrite');
    table.set('pattern', rewrite.pattern, directive);
    table.set('to', rewrite.to, directive);
    if (rewrite.status !== null) table.set('status', rewrite.status, directive);
    const { by, scope } =
      target === null
        ? { by: 'return' as const, scope: location.scope }
        : writeAnswer(route, { ...target, kind: 'named' }, server, context);
    writeFeatures(route, scope, server, context, by);
  }
}

/** The location for an internal path, if it can be expressed behind a rewrite. */
function targetOf(to: string, server: Server): Location | null {
  const fixed = to.replace(/[{?].*$/, '');
  const target = locationFor(fixed, server);
  if (target === null || target.kind === 'pattern') return null;
  const has = (name: string) => target.scope.directives.some((one) => one.name === name);
  const pass = target.scope.directives.find(({ name }) => name.endsWith('_pass'));
  const hasPath = /^https?:\/\/[^/]+\/./.test(pass?.args[0] ?? '');
  return has('alias') || has('rewrite') || has('return') || hasPath ? null : target;
}
