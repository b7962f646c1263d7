import type { ConfigBuilder } from '../config-builder.ts';
import { fileOf } from './files.ts';
import { locationAt } from './location-at.ts';
import { textOf } from './model/bytes.ts';
import { constantOf } from './model/template.ts';
import type { RouteSink, StepState } from './step-state.ts';
import type { Directive } from './tree.ts';

/** Carries over `error_page` with files. */
export function writeErrorPages(route: ConfigBuilder, { level }: StepState, writer: RouteSink): void {
  const { report, scopeOf } = writer.context;
  const pages = route.table('error_pages').table('pages');
  for (const { statement, statuses, status, target } of level.settings.errorPages) {
    const directive = statement as Directive;
    report.took(directive);
    const uri = textOf(constantOf(target) ?? '');
    const file = uri.startsWith('/') ? fileOf(uri, locationAt(writer.server, uri) ?? writer.server, writer) : null;
    if (status !== null) report.lost(directive, 'an error page does not change the status');
    else if (!uri.startsWith('/') || !statuses.every((code) => code >= 400 && code < 600))
      report.lost(directive, 'an error page must be a file');
    else if (file === null) report.lost(directive, `no file is known for ${uri}`);
    else for (const code of statuses) pages.set(`${code}`, file, directive);
  }
  const intercept = scopeOf(level).isOn('proxy_intercept_errors');
  if (!pages.isEmpty && intercept !== null) route.table('error_pages').set('intercept', true, intercept);
}
