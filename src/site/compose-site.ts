import type { SourceLocation } from '../config/site-entries.ts';
import type { Next } from '../http/handler.ts';
import { requestFields } from '../http/request-id.ts';
import { composeTraced } from '../routing/traced-chain.ts';
import type { BuiltSite } from './build.ts';
import { type Configuration, MAIN } from './configuration.ts';
import type { Opening } from './listeners.ts';
import { notFound } from './not-found.ts';
import { STATIC_REVALIDATE_MS } from './revalidate.ts';
import type { SiteParts, Terminal } from './route-context.ts';

/** What is known about backends. It is kept when another site takes over. */
export type BackendMemory = Pick<SiteParts, 'overrides' | 'discovered'>;

export function emptyMemory(): BackendMemory {
  return { overrides: new Map(), discovered: new Map() };
}

/** A site without routes. */
const EMPTY = {
  routes: [],
  warnings: [],
  proxies: new Map(),
  start: () => Promise.resolve(),
  stop() {},
  destroy() {},
};

/** Where a site reports what happens to requests. */
export type Reports = Pick<SiteParts, 'log' | 'onRefused'>;

/** The listeners of a server. */
export type SiteListeners = Pick<Opening, 'environs' | 'addresses'>;

/** The applications of a server. */
export interface SiteApplications {
  readonly names: ReadonlySet<string>;
  readonly next: (name: string) => Next;
}

/**
 * Builds the site of `configuration`. The code for routes and files is loaded only if the configuration has them, because it takes
 * memory and time.
 *
 * @throws ViaductError `SETTINGS` with all errors, one per line
 */
export async function composeSite(
  configuration: Configuration,
  { names, next }: SiteApplications,
  locate: SourceLocation,
  { environs, addresses }: SiteListeners,
  { log, onRefused }: Reports,
  memory: BackendMemory,
): Promise<BuiltSite> {
  const { settings, site, bases } = configuration;
  const { dev, staticCacheBytesMax } = settings;
  const main = await mainOf(configuration, names.has(MAIN) ? next(MAIN) : null);
  if (site === null) return { ...EMPTY, handle: main === null ? notFound : composeTraced([], main) };
  const { buildSite } = await import('./build.ts');
  return buildSite(site, {
    locate,
    baseOf: (key) => bases[key] ?? '',
    application: (name) => (name === MAIN ? (main?.next ?? null) : names.has(name) ? next(name) : null),
    filesOf: (name) => configuration.applications[name]?.project.staticMounts ?? [],
    main,
    dev,
    staticCacheBytesMax,
    bodyBytesMax: settings.bodyBytesMax,
    listeners: environs,
    addresses,
    log,
    onRefused,
    ...memory,
    onError: (message, request) => log.error(message, requestFields(request)),
  });
}

/** The main application with its static files before it; null if there is neither. */
async function mainOf({ settings, project }: Configuration, application: Next | null): Promise<Terminal | null> {
  const mounts = project?.staticMounts ?? settings.static;
  if (mounts.length === 0)
    return application === null ? null : { name: 'application', next: application, application: MAIN };
  const { staticFiles } = await import('../handlers/files/static.ts');
  const { staticCacheBytesMax: cacheBytesMax, dev } = settings;
  const files = staticFiles({ mounts, cacheBytesMax, revalidateMs: dev ? 0 : STATIC_REVALIDATE_MS });
  if (application === null)
    return {
      name: 'static files',
      next: composeTraced([files], { name: 'not found', next: notFound }),
      recordsSteps: true,
    };
  const end = { name: 'application', next: application, application: MAIN };
  return { name: 'application', next: composeTraced([files], end), recordsSteps: true };
}
