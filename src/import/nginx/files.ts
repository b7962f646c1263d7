import { basename, dirname, join } from 'node:path/posix';
import type { ConfigBuilder } from '../config-builder.ts';
import type { Location, NginxContext, Server } from './context.ts';
import { literal } from './expression.ts';
import { isPlainPath } from './forms.ts';
import type { Scope } from './scope.ts';
import { locationFor } from './servers.ts';
import { hasVariables } from './template.ts';
import type { Directive } from './tree.ts';

/** How the files of a location are found: `alias` replaces the path, `root` is prepended to it. */
export interface Root {
  readonly directive: Directive;
  readonly isAlias: boolean;
  readonly path: string;
}

/** The root of a scope; null if there is none, or if it depends on the request. */
export function rootOf(scope: Scope, { report }: NginxContext): Root | null {
  const directive = scope.take('alias', 'root').at(-1);
  const [path = ''] = directive?.args ?? [];
  if (directive === undefined || path === '') return null;
  if (hasVariables(path)) {
    report.lost(directive, 'directories cannot contain variables');
    return null;
  }
  return { directive, isAlias: directive.name === 'alias', path };
}

/** Makes a route answer with the files of a location. Returns false if the location has no files. */
export function writeFiles(route: ConfigBuilder, location: Location, context: NginxContext): boolean {
  const root = rootOf(location.scope, context);
  if (root === null) return false;
  const directory = directoryOf(route, location, root, context);
  if (directory === null) return false;
  route.set('static', context.pathOf(directory), root.directive);
  writeOptions(route.table('static_options'), location.scope, context);
  return true;
}

/** The directory for a route's path. An alias with another name needs a rewrite. */
function directoryOf(route: ConfigBuilder, location: Location, root: Root, { report }: NginxContext): string | null {
  const { kind, path } = location;
  const isPattern = route.get('path_pattern') !== undefined;
  const isExact = kind === 'exact' || route.get('path') === path;
  if (!root.isAlias) {
    if (isPattern || kind === 'named') return join(root.path);
    return trimmed(join(root.path, isExact ? dirname(path) : path));
  }
  if (kind === 'pattern' || kind === 'named') {
    report.lost(root.directive, 'files of a pattern must be below root; an alias with groups has no counterpart');
    return null;
  }
  if (!isExact) {
    if (isPattern && !isPlainPath(path)) {
      report.lost(root.directive, 'an alias of such a path has no counterpart');
      return null;
    }
    if (isPattern && path !== '/') route.table('rewrite').set('prefix', trimmed(path), root.directive);
    return trimmed(root.path);
  }
  if (basename(path) !== basename(root.path)) {
    route.table('rewrite').set('pattern', `^${literal(path)}$`, root.directive);
    route.table('rewrite').set('to', join(dirname(path), basename(root.path)), root.directive);
  }
  return dirname(root.path);
}

function trimmed(path: string): string {
  return path.length > 1 ? path.replace(/\/+$/, '') : path;
}

function writeOptions(options: ConfigBuilder, scope: Scope, { report }: NginxContext): void {
  const index = scope.one('index');
  if (index !== null) {
    const names = index.args.filter((name) => !name.includes('/') && !hasVariables(name));
    if (names.length < index.args.length) report.lost(index, 'an index must be the name of a file in the directory');
    if (names.length > 0 && names.join(' ') !== 'index.html') options.set('index', names, index);
  }
  const listing = scope.isOn('autoindex');
  if (listing !== null) options.set('listing', true, listing);
  for (const [name, coding] of [
    ['brotli_static', 'br'],
    ['gzip_static', 'gzip'],
  ] as const) {
    const directive = scope.one(name);
    if (directive?.args[0] === 'on' || directive?.args[0] === 'always')
      options.push('precompressed', coding, directive);
  }
}

/** The file for a path of the site, as for `error_page`; null if it is unknown. */
export function fileOf(uri: string, server: Server, context: NginxContext): string | null {
  const location = locationFor(uri, server);
  const scope = location?.scope ?? server.scope;
  const root = rootOf(scope, context);
  if (root === null) return null;
  if (!root.isAlias) return context.pathOf(join(root.path, uri));
  if (location === null || location.kind === 'pattern') return null;
  return context.pathOf(location.kind === 'exact' ? root.path : join(root.path, uri.slice(location.path.length)));
}
