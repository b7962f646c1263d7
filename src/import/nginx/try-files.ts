import type { ConfigBuilder } from '../config-builder.ts';
import type { Location, NginxContext, Server } from './context.ts';
import { writeFiles } from './files.ts';
import type { Directive } from './tree.ts';

/** The last word of `try_files`. */
type Last =
  | { readonly kind: 'status'; readonly status: number }
  | { readonly kind: 'named'; readonly name: string }
  | { readonly kind: 'file'; readonly path: string };

/**
 * Makes a route answer as `try_files` says.
 *
 * @returns the named location that answers if no file exists, or null
 */
export function writeTryFiles(
  route: ConfigBuilder,
  directive: Directive,
  location: Location,
  server: Server,
  context: NginxContext,
): Location | null {
  const { report } = context;
  const last = lastOf(directive.args.at(-1) ?? '');
  const names = directive.args.slice(0, -1);
  const hasFiles = writeFiles(route, location, context);
  if (!hasFiles) report.lost(directive, 'it has no root or alias that could be carried over');
  else writeNames(route.table('static_options'), names, directive, context);
  if (last.kind === 'named') {
    const target = server.locations.find((one) => one.kind === 'named' && one.path === last.name) ?? null;
    if (target === null) report.lost(directive, `there is no location ${last.name}`);
    return target;
  }
  if (last.kind === 'file' && hasFiles) writeFallback(route, last.path, directive, location, context);
  else if (last.kind === 'status' && last.status !== 404) report.differs(directive, 'paths without a file get 404');
  return null;
}

function lastOf(text: string): Last {
  if (/^=\d{3}$/.test(text)) return { kind: 'status', status: Number(text.slice(1)) };
  return text.startsWith('@') ? { kind: 'named', name: text } : { kind: 'file', path: text };
}

/** `$uri`, `$uri/` and `$uri.html` as names with `{path}`. A route tries the first two anyway. */
function writeNames(
  options: ConfigBuilder,
  names: readonly string[],
  directive: Directive,
  { report }: NginxContext,
): void {
  const others = names.filter((name) => name !== '$uri' && name !== '$uri/');
  const usable = others.filter((name) => /^\/?\$uri(?:\/?[\w.-]+)+$/.test(name));
  for (const name of others) {
    if (!usable.includes(name)) report.differs(directive, `"${name}" is not tried: names must start with $uri`);
  }
  if (!names.includes('$uri/') && !names.some((name) => name.startsWith('$uri/')))
    options.set('index', false, directive);
  if (usable.length === 0) return;
  const tried = names.filter((name) => name === '$uri' || usable.includes(name));
  options.set(
    'try_files',
    tried.map((name) => name.replace(/^\/?\$uri/, '{path}')),
    directive,
  );
}

/** One page for every path without a file, for single-page applications. */
function writeFallback(
  route: ConfigBuilder,
  written: string,
  directive: Directive,
  location: Location,
  { report }: NginxContext,
): void {
  const path = written.replace(/\?\$args$|\$is_args\$args$|\?.*$/, '');
  const isBelow = location.kind === 'prefix' || location.kind === 'first';
  const below = isBelow && path.startsWith(location.path) ? path.slice(location.path.length) : path;
  const name = below.replace(/^\/+/, '');
  if (
    /[$@]/.test(name) ||
    name === '' ||
    /\.(?:php|cgi|pl|py)$/.test(name) ||
    (isBelow && !path.startsWith(location.path))
  ) {
    report.lost(directive, `paths without a file get 404, not "${written}", which another location would answer`);
    return;
  }
  const options = route.table('static_options');
  options.set('fallback', name, directive);
  options.set('fallback_for', 'all', directive);
}
