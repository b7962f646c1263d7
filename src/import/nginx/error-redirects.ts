import { isUrl, nameOf, targetOf } from './error-pages.ts';
import { writeFeatures } from './features.ts';
import type { Level } from './model/model.ts';
import type { RouteMatch } from './route-match.ts';
import type { RouteWriter } from './route-writer.ts';
import type { Directive } from './tree.ts';

/** Statuses with which `error_page` redirects to a URL. */
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/** Writes routes for the redirects that error pages lead to. Such a route has a name instead of a path. */
export function writeErrorRedirects(levels: readonly Level[], match: RouteMatch, writer: RouteWriter): void {
  const written = new Set<string>();
  for (const level of levels) {
    for (const page of level.settings.errorPages) {
      const directive = page.statement as Directive;
      const state = writer.stateOf(level, null, match, []);
      const to = targetOf(page, state, writer);
      if (to === null || !isUrl(to) || written.has(nameOf(page))) continue;
      written.add(nameOf(page));
      const route = writer.add({ ...match, paths: [nameOf(page)] });
      route.table('redirect').set('to', to, directive);
      route.table('redirect').set('status', REDIRECTS.has(page.status ?? 0) ? (page.status ?? 302) : 302, directive);
      writeFeatures(route, state, writer, 'return');
    }
  }
}
