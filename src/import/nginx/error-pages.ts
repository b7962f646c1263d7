import type { ConfigBuilder } from '../config-builder.ts';
import { fileOf } from './files.ts';
import { locationAt } from './location-at.ts';
import { textOf } from './model/bytes.ts';
import { constantOf } from './model/template.ts';
import type { RouteSink, StepState } from './step-state.ts';
import type { Directive } from './tree.ts';

/** Carries over `error_page`: files as pages, other paths and named locations as routes. */
export function writeErrorPages(route: ConfigBuilder, { level }: StepState, writer: RouteSink): void {
  const { report, scopeOf } = writer.context;
  const errors = route.table('error_pages');
  // of several pages for a status, nginx uses the first
  const known = new Set<number>();
  for (const { statement, statuses, status, target } of level.settings.errorPages) {
    const directive = statement as Directive;
    report.took(directive);
    const to = textOf(constantOf(target) ?? '');
    const codes = statuses.filter((code) => code >= 400 && code < 600);
    const isKnown = to.startsWith('@') ? writer.server.named.has(to) : /^\/[\x21-\x7e]*$/.test(to);
    const hasStatus = status === null || status === 0 || (status >= 200 && status < 600);
    if (!isKnown || !hasStatus || codes.length < statuses.length) {
      report.lost(directive, 'an error page is a file or a path of the site, for a status from 400 to 599');
      continue;
    }
    const location = to.startsWith('/') ? locationAt(writer.server, to) : null;
    const isPlain = to.startsWith('/') && status === null && (location ?? writer.server).instructions.length === 0;
    const file = isPlain ? fileOf(to, location ?? writer.server, writer) : null;
    for (const code of codes) {
      if (known.has(code)) continue;
      known.add(code);
      if (file !== null) errors.table('pages').set(`${code}`, file, directive);
      else if (status === null) errors.table('routes').set(`${code}`, to, directive);
      else errors.table('routes').set(`${code}`, { to, status: status === 0 ? 'route' : status }, directive);
    }
  }
  const intercept = scopeOf(level).isOn('proxy_intercept_errors');
  if (!errors.isEmpty && intercept !== null) errors.set('intercept', true, intercept);
}
