import { basename } from 'node:path/posix';
import type { ConfigBuilder } from '../config-builder.ts';
import { fileOf } from './files.ts';
import { locationAt } from './location-at.ts';
import type { ErrorPage } from './model/model.ts';
import { constantOf } from './model/template.ts';
import { fill } from './placeholders.ts';
import { leadsSomewhere } from './redirect-target.ts';
import { type RouteSink, type StepState, valuesAt } from './step-state.ts';
import type { Directive } from './tree.ts';

/** Carries over `error_page`: files as pages, other paths, redirects and named locations as routes. */
export function writeErrorPages(route: ConfigBuilder, state: StepState, writer: RouteSink): void {
  const { level } = state;
  const { report, scopeOf } = writer.context;
  const errors = route.table('error_pages');
  // of several pages for a status, nginx uses the first
  const known = new Set<number>();
  for (const page of level.settings.errorPages) {
    const { statement, statuses, status } = page;
    const directive = statement as Directive;
    report.took(directive);
    const codes = statuses.filter((code) => code >= 400 && code < 600);
    const to = targetOf(page, state, writer);
    const hasStatus = status === null || status === 0 || (status >= 200 && status < 600);
    if (to === null || !hasStatus || codes.length < statuses.length) {
      report.lost(directive, 'an error page is a file, a path of the site or a URL, for a status from 400 to 599');
      continue;
    }
    const file = status === null ? fileAt(to, page, writer) : null;
    const target = isUrl(to) ? nameOf(page) : to;
    for (const code of codes) {
      if (known.has(code)) continue;
      known.add(code);
      if (file !== null) errors.table('pages').set(`${code}`, file, directive);
      else if (status === null || isUrl(to)) errors.table('routes').set(`${code}`, target, directive);
      else errors.table('routes').set(`${code}`, { to, status: status === 0 ? 'route' : status }, directive);
    }
  }
  const intercept = scopeOf(level).isOn('proxy_intercept_errors');
  if (!errors.isEmpty && intercept !== null) errors.set('intercept', true, intercept);
}

/** Where an error page leads: a path, the name of a location, or a URL, with placeholders; null if that has no counterpart. */
export function targetOf(
  { target }: ErrorPage,
  state: StepState,
  writer: Pick<RouteSink, 'server' | 'context'>,
): string | null {
  const filled = fill(target, valuesAt(state, writer));
  if ('unknown' in filled) return null;
  const { text } = filled;
  if (text.startsWith('@')) return writer.server.named.has(text) ? text : null;
  if (isUrl(text)) return leadsSomewhere(text, writer.context.builder) ? text : null;
  return /^\/[\x21-\x7e]*$/.test(text) ? text : null;
}

/** Whether a target is a URL, to which nginx redirects. */
export function isUrl(text: string): boolean {
  return /^(?:https?|\{scheme\}):/.test(text);
}

/** The file that is an error page; null if something else answers its path. */
function fileAt(to: string, { target }: ErrorPage, writer: RouteSink): string | null {
  if (!to.startsWith('/') || constantOf(target) === null) return null;
  const level = locationAt(writer.server, to) ?? writer.server;
  return level.instructions.length === 0 ? fileOf(to, level, writer) : null;
}

/** The path of the route for a redirect. */
export function nameOf({ statement: { file, line }, statuses }: ErrorPage): string {
  return `@error_page-${basename(file).replace(/[^\w.-]/g, '_')}-${line}-${statuses[0]}`;
}
