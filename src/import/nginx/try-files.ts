import type { ConfigBuilder } from '../config-builder.ts';
import { mountOf, writeFiles } from './files.ts';
import { sendsSameFiles } from './index-names.ts';
import { locationAt } from './location-at.ts';
import { bytesOf, textOf } from './model/bytes.ts';
import type { Level, TryFiles } from './model/model.ts';
import { constantOf, type Template } from './model/template.ts';
import { notFound } from './no-answer.ts';
import { writeProxy } from './proxy.ts';
import type { RouteSink, StepState } from './step-state.ts';
import type { Directive } from './tree.ts';

/** Makes a route answer as `try_files` says. Returns the location that answers where no file exists, or null. */
export function writeTryFiles(
  route: ConfigBuilder,
  tryFiles: TryFiles,
  state: StepState,
  writer: RouteSink,
): Level | null {
  const { otherwise } = tryFiles;
  const { report, scopeOf } = writer.context;
  const directive = scopeOf(state.level).one('try_files') ?? (state.level.statement as Directive);
  if (state.level.handler !== null) {
    // what the backend runs, such as PHP, must never be sent as a file
    report.differs(directive, 'the backend gets all paths, also those without a file');
    if (!writeProxy(route, state.level.handler, state, writer)) notFound(route);
    return null;
  }
  const hasFiles = writeFiles(route, state, writer, tryFiles);
  if (hasFiles) writeNames(route.table('static_options'), tryFiles.files, directive, state, writer);
  if (typeof otherwise === 'number') {
    if (otherwise !== 404) report.differs(directive, 'paths without a file get 404');
    if (!hasFiles) notFound(route);
    return null;
  }
  const target = constantOf(otherwise) === null ? null : textOf(constantOf(otherwise) ?? '');
  const path = textOf(otherwise[0]?.kind === 'text' ? otherwise[0].text : '').replace(/\?.*$/s, '');
  const behind = path.startsWith('@') ? (writer.server.named.get(path) ?? null) : locationAt(writer.server, path);
  if (path.startsWith('@') || behind?.handler?.kind === 'backend')
    return writeBehind(route, behind, directive, withPath(state, path, otherwise), writer);
  if (hasFiles && target !== null) writeFallback(route, path, directive, state, writer);
  if (!hasFiles) notFound(route);
  return null;
}

/** The state behind an internal redirect to a path without variables: `$uri` is this path. */
function withPath(state: StepState, path: string, otherwise: Template): StepState {
  const [first] = otherwise;
  const isWhole = first?.kind === 'text' && (otherwise.length === 1 || first.text.includes('?'));
  if (path.startsWith('@') || !isWhole) return state;
  const uri: Template = [{ kind: 'text', text: bytesOf(path) }];
  return { ...state, assigned: new Map(state.assigned).set('uri', uri).set('document_uri', uri) };
}

/** The backend of a location answers where no file exists. */
function writeBehind(
  route: ConfigBuilder,
  behind: Level | null,
  directive: Directive,
  state: StepState,
  writer: RouteSink,
): Level | null {
  const { report } = writer.context;
  if (behind?.handler?.kind !== 'backend') {
    report.lost(directive, 'the location behind it forwards nothing, so paths without a file get 404');
    if (route.get('static') === undefined) notFound(route);
    return null;
  }
  const isWritten = writeProxy(route, behind.handler, { ...state, level: behind, location: null }, writer);
  if (!isWritten && route.get('static') === undefined) notFound(route);
  return behind;
}

/**
 * `$uri` and `$uri.html` as names with `{path}`, and files with a fixed path, which a route tries last. The indexes of `$uri/` are tried anyway.
 */
function writeNames(
  options: ConfigBuilder,
  files: TryFiles['files'],
  directive: Directive,
  { level, match }: StepState,
  { context }: RouteSink,
): void {
  const tried: string[] = [];
  const mount = level.settings.root.replaces === 0 ? mountOf(match.paths[0] ?? '') : null;
  for (const [index, { path, isDirectory }] of files.entries()) {
    const isLast = !isDirectory && files.slice(index).every((one) => nameOf(one.path) === null);
    const name = nameOf(path) ?? (mount !== null && isLast ? fixedNameOf(path, mount) : null);
    if (name === null)
      context.report.differs(
        directive,
        'only names that start with $uri, and after them files below the route, are tried',
      );
    else if (!isDirectory) tried.push(name);
  }
  // without a name, a route would try the path itself
  if (tried.length === 0) options.set('try_files', [`${PATH}/`], directive);
  else if (tried.some((name) => name !== PATH)) options.set('try_files', tried, directive);
}

const PATH = '{path}';

/** `{path}.html` for `$uri.html`; null for others. */
function nameOf(template: Template): string | null {
  const [first, ...rest] = template[0]?.kind === 'text' && template[0].text === '/' ? template.slice(1) : template;
  const isUri = first?.kind === 'variable' && (first.name === 'uri' || first.name === 'document_uri');
  const end = constantOf(rest);
  if (!isUri || end === null) return null;
  return `${PATH}${textOf(end)}`;
}

/** The path of a file below the route; null for others. */
function fixedNameOf(template: Template, mount: string): string | null {
  const path = textOf(constantOf(template) ?? '');
  return path.startsWith(mount) && path.length > mount.length && !path.includes(PATH) ? path.slice(mount.length) : null;
}

/** One page for every path without a file, for single-page applications. nginx chooses the location again for its path. */
function writeFallback(
  route: ConfigBuilder,
  path: string,
  directive: Directive,
  { match, level, location }: StepState,
  { context, server }: RouteSink,
): void {
  const [first = ''] = match.paths;
  const mount = first.startsWith('/') ? first.slice(0, first.lastIndexOf('/') + 1) : '/';
  const name = path.startsWith(mount) ? path.slice(mount.length) : '';
  const behind = locationAt(server, bytesOf(path));
  const isSame = behind === location || sendsSameFiles(behind ?? server, level);
  const isRewritten = server.instructions.some((one) => one.kind === 'rewrite' && one.pattern.regex?.test(path));
  if (name === '' || !isSame || isRewritten || /\.(?:php|cgi|pl|py)$/.test(name)) {
    context.report.lost(directive, `paths without a file get 404, not "${path}", which another location would answer`);
    return;
  }
  const options = route.table('static_options');
  options.set('fallback', name, directive);
  options.set('fallback_for', 'all', directive);
}
