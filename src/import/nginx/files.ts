import { basename, dirname, join } from 'node:path/posix';
import type { ConfigBuilder } from '../config-builder.ts';
import type { ImportReport } from '../import-report.ts';
import { literal } from './expression.ts';
import { aliasAt, indexNames } from './index-names.ts';
import { textOf } from './model/bytes.ts';
import type { Level, Location, TryFiles } from './model/model.ts';
import { samplesOf } from './model/sample-pattern.ts';
import type { Template } from './model/template.ts';
import { constantIn, fill } from './placeholders.ts';
import { type RouteSink, restOfTarget, type StepState, valuesWithGroups } from './step-state.ts';
import type { Directive } from './tree.ts';

/** Makes a route answer with the files of its level, and with its directories unless `tryFiles` leaves them out. Returns false if they have no counterpart. */
export function writeFiles(
  route: ConfigBuilder,
  state: StepState,
  writer: RouteSink,
  tryFiles: TryFiles | null = null,
): boolean {
  const { level } = state;
  const { report, scopeOf, pathOf } = writer.context;
  const from = scopeOf(level).take('alias', 'root').at(-1) ?? (level.statement as Directive);
  const directory = directoryOf(route, state, writer, from);
  if (directory === null) {
    report.lost(from, 'this directory depends on the request in a way that has no counterpart');
    return false;
  }
  route.set('static', pathOf(trimmed(directory)), from);
  const hasDirectories = tryFiles === null || tryFiles.files.some(({ isDirectory }) => isDirectory);
  if (hasDirectories) writeDirectories(route.table('static_options'), state, writer);
  else route.table('static_options').set('index', false, scopeOf(level).one('try_files') ?? from);
  writeOptions(route.table('static_options'), level, writer);
  return true;
}

/** The directory for the part of a route's path up to its last slash; null if no directory and rewrite express the one of nginx. */
function directoryOf(route: ConfigBuilder, state: StepState, writer: RouteSink, from: Directive): string | null {
  const { level, location, match, assigned } = state;
  const { path: template, replaces } = level.settings.root;
  const mount = mountOf(match.paths[0] ?? '');
  if (replaces === 'all') return aliasOfPattern(route, template, state, writer, from);
  const written = constantIn(template, assigned);
  if (written === null) return null;
  const root = textOf(written.startsWith('/') ? written : join(writer.context.model.prefix, written));
  if (replaces === 0) return join(root, mount);
  const path = textOf(aliasPath(writer.server.locations, location, replaces) ?? '');
  // a name would follow the last one of the directory
  if (path === '' || (path.endsWith('/') && !root.endsWith('/'))) return null;
  const rest = path.endsWith('/') ? restOfTarget(state, path) : null;
  if (rest !== null) {
    route.table('rewrite').set('to', `/${rest}`, ...(state.rewrite === null ? [] : [state.rewrite.from]), from);
    return root;
  }
  if (match.paths.length > 0 && !(match.paths[0] ?? '').endsWith('*'))
    return exactAlias(route, root, match.paths[0] ?? '', replaces, from);
  if (mount.length >= path.length) return join(root, mount.slice(path.length));
  if (route.tables.has('rewrite')) return null;
  if (path === '/') return root;
  route.table('rewrite').set('prefix', trimmed(path), from);
  return root;
}

/** The path that an alias replaces: that of the location, or of one around it. */
function aliasPath(locations: readonly Location[], location: Location | null, replaces: number): string | null {
  for (const one of locations) {
    const isAround = one === location || (location !== null && everyLocation(one.locations).includes(location));
    if (!isAround) continue;
    const inner = aliasPath(one.locations, location, replaces);
    if (inner !== null) return inner;
    return one.kind !== 'pattern' && one.path.length === replaces ? one.path : null;
  }
  return null;
}

function everyLocation(locations: readonly Location[]): Location[] {
  return locations.flatMap((one) => [one, ...everyLocation(one.locations)]);
}

/** The file of an alias may have another name than the path. */
function exactAlias(
  route: ConfigBuilder,
  root: string,
  path: string,
  replaces: number,
  from: Directive,
): string | null {
  const file = root + path.slice(replaces);
  if (path.endsWith('/')) return file;
  if (basename(file) === basename(path)) return dirname(file);
  if (route.tables.has('rewrite')) return null;
  route.table('rewrite').set('pattern', `^${literal(path)}$`, from);
  route.table('rewrite').set('decoded', true, from);
  route.table('rewrite').set('to', join(dirname(path), basename(file)), from);
  return dirname(file);
}

/** `alias /srv/files/$1` in a location with a pattern: a rewrite to the part with groups. */
function aliasOfPattern(
  route: ConfigBuilder,
  template: Template,
  state: StepState,
  writer: RouteSink,
  from: Directive,
): string | null {
  const [first] = template;
  const start = first?.kind === 'text' ? textOf(first.text) : '';
  const directory = start.slice(0, start.lastIndexOf('/') + 1);
  const filled = fill(template, valuesWithGroups(state, writer));
  const { pattern } = state.match;
  if ('unknown' in filled || pattern === null || directory === '' || route.tables.has('rewrite')) return null;
  if (state.location !== null && namesDirectory(state.location, template)) return null;
  const to = `/${filled.text.slice(directory.length)}`;
  if (!/^[^?#\s]*$/.test(to)) return null;
  route.table('rewrite').set('pattern', pattern, from);
  route.table('rewrite').set('decoded', true, from);
  route.table('rewrite').set('to', to, from);
  return directory;
}

/** Whether an alias leads from a path without a slash at its end to one with it: nginx adds the slash to the path, again and again. */
function namesDirectory({ pattern }: Location, template: Template): boolean {
  if (pattern === null) return false;
  const paths = samplesOf(pattern).flatMap((text) => [text, `/${text}`, `${text}x`, `/${text}x`]);
  return paths.some((path) => /^\/.*[^/]$/s.test(path) && aliasAt(pattern, template, path)?.endsWith('/') === true);
}

/** The part of a route's path that its directory stands for. */
export function mountOf(path: string): string {
  return path.startsWith('/') ? path.slice(0, path.lastIndexOf('/') + 1) : '/';
}

function trimmed(path: string): string {
  return path.length > 1 ? path.replace(/\/+$/, '') || '/' : path;
}

function writeDirectories(options: ConfigBuilder, state: StepState, writer: RouteSink): void {
  const { level } = state;
  const scope = writer.context.scopeOf(level);
  const index = scope.one('index');
  const names = indexNames(index, state, writer);
  const from = index ?? (level.statement as Directive);
  if (names.length === 0) options.set('index', false, from);
  else if (names.join(' ') !== 'index.html') options.set('index', names, from);
  const listing = scope.isOn('autoindex');
  // nginx comes to a listing only behind the last index, and never behind one that is a path
  const lists = index?.args.some((name) => name.startsWith('/')) !== true;
  if (listing !== null && lists) options.set('listing', true, listing);
}

function writeOptions(options: ConfigBuilder, level: Level, { context: { report, scopeOf } }: RouteSink): void {
  const scope = scopeOf(level);
  for (const [name, coding] of [
    ['brotli_static', 'br'],
    ['gzip_static', 'gzip'],
  ] as const) {
    const directive = scope.one(name);
    if (directive?.args[0] === 'on' || directive?.args[0] === 'always')
      options.push('precompressed', coding, directive);
  }
  writeTypes(options, level, typesFrom(scope.one('default_type'), scope.take('types')), report);

  function typesFrom(type: Directive | null, types: readonly Directive[]): readonly Directive[] {
    return [...types, ...(type === null ? [] : [type])];
  }
}

const EXTENSION = /^[^./\sA-Z][^/\sA-Z]*$/;
const MEDIA_TYPE = /^[\w!#$&^.+-]+\/[\w!#$&^.+-]+(?: *; *[\x20-\x7e]+)?$/;

/** Types are written where the configuration has an unusual table of its own: an empty one makes all files downloads. */
function writeTypes(
  options: ConfigBuilder,
  { settings: { types, defaultType } }: Level,
  from: readonly Directive[],
  report: ImportReport,
): void {
  if (types === null || types.has('html') || from.length === 0) return;
  const usable = [...types].filter(([extension, type]) => EXTENSION.test(extension) && MEDIA_TYPE.test(type));
  options.set('types', Object.fromEntries(usable), ...from);
  if (usable.length < types.size)
    for (const directive of from) report.differs(directive, 'what is not an extension or a media type is left out');
  options.set('default_type', textOf(defaultType), ...from);
}

/** The file for a path of the site, as for `error_page`; null if it is unknown. */
export function fileOf(uri: string, level: Level, { context }: RouteSink): string | null {
  const { path, replaces } = level.settings.root;
  const root = constantIn(path);
  if (root === null || replaces === 'all' || level.handler !== null) return null;
  return context.pathOf(textOf(root) + uri.slice(replaces));
}
