import type { Place } from '../config/site/keys.ts';
import { staticFiles } from '../handlers/files/static.ts';
import type { Next } from '../http/handler.ts';
import type { Log } from '../log/log.ts';
import { compose } from '../routing/chain.ts';
import type { BuiltSite, SiteParts } from './build.ts';
import { type Configuration, MAIN } from './configuration.ts';
import { notFound } from './not-found.ts';
import { STATIC_REVALIDATE_MS } from './revalidate.ts';

/** What is known of backends outlives a site. */
export type BackendMemory = Pick<SiteParts, 'standings' | 'findings'>;

export function emptyMemory(): BackendMemory {
  return { standings: new Map(), findings: new Map() };
}

/** What has no routes. */
const EMPTY = { routes: [], proxies: new Map(), start: () => Promise.resolve(), stop() {}, destroy() {} };

/** The applications that there are. */
export interface SiteApplications {
  readonly names: ReadonlySet<string>;
  readonly next: (name: string) => Next;
}

/**
 * The handler of `configuration`. What routes are made with is only loaded
 * where there are some, because it takes memory.
 *
 * @throws ViaductError `SETTINGS` with every mistake, a line each.
 */
export async function composeSite(
  configuration: Configuration,
  { names, next }: SiteApplications,
  place: Place,
  listenerPorts: readonly string[],
  log: Log,
  memory: BackendMemory,
): Promise<BuiltSite> {
  const { settings, site, bases } = configuration;
  const { dev, staticCacheBytesMax } = settings;
  const main = mainOf(configuration, names.has(MAIN) ? next(MAIN) : null);
  if (site === null) return { ...EMPTY, handle: main ?? notFound };
  const { buildSite } = await import('./build.ts');
  return buildSite(site, {
    place,
    baseOf: (key) => bases[key] ?? '',
    application: (name) => (name === MAIN ? main : names.has(name) ? next(name) : null),
    main,
    dev,
    staticCacheBytesMax,
    bodyBytesMax: settings.bodyBytesMax,
    listenerPorts,
    log,
    ...memory,
    onError: (message, request) => log.error(message, { request: `${request.method} ${request.path}` }),
  });
}

/** The main application behind its static files; null when there is neither. */
function mainOf({ settings, project }: Configuration, application: Next | null): Next | null {
  const mounts = project?.staticMounts ?? settings.static;
  if (mounts.length === 0) return application;
  const { staticCacheBytesMax: cacheBytesMax, dev } = settings;
  const files = staticFiles({ mounts, cacheBytesMax, revalidateMs: dev ? 0 : STATIC_REVALIDATE_MS });
  return compose([files], application ?? notFound);
}
