import type { SourceLocation } from '../config/site-entries.ts';
import type { LimitZones } from '../handlers/limits/limit-zones.ts';
import type { PageSource } from '../handlers/pages/page.ts';
import type { Handler, HandlerResult, Next } from '../http/handler.ts';
import type { Request } from '../http/message.ts';
import type { Refusal } from '../http/refusal.ts';
import type { Log } from '../log/log.ts';
import type { Placeholders } from '../placeholders/placeholders.ts';
import type { StaticMount as ProjectMount } from '../project/project.ts';
import type { BackendOverrides } from '../proxy/backend-state.ts';
import type { CreateClient } from '../proxy/create-client.ts';
import type { DiscoveredBackends } from '../proxy/discovery/discovered-backends.ts';
import type { ReverseProxy } from '../proxy/reverse-proxy.ts';
import type { ChainEnd } from '../routing/traced-chain.ts';
import type { FileSource } from '../static/file-source.ts';
import type { ListenerEnviron } from '../wsgi/variables.ts';
import type { ConfigErrors } from './config-errors.ts';
import type { Site } from './schema/site.ts';

/** What a site needs in addition to its configuration. */
export interface SiteParts {
  readonly locate: SourceLocation;
  /** The directory where relative paths of a key start. */
  readonly baseOf: (key: string) => string;
  /** The function that answers with the application of this name; null if there is none. */
  readonly application: (name: string) => Next | null;
  /** The static files of the application of this name, which [apps] has. The main application has its own in `main`. */
  readonly filesOf: (name: string) => readonly ProjectMount[];
  /** The main application with its static files, for requests that match no route; null if there is none. */
  readonly main: Terminal | null;
  readonly dev: boolean;
  readonly staticCacheBytesMax: number;
  /** The limit for the content of requests whose route does not set one. */
  readonly bodyBytesMax: number;
  /** What applications see of the listeners, by index. */
  readonly listeners: readonly ListenerEnviron[];
  /** The addresses of the listeners, as the setting `listen` has them, by index; '' for those that it does not have any more. */
  readonly addresses: readonly string[];
  readonly onError: (message: string, request: Request) => void;
  /** Gets the requests that no route may answer, because of an error of the client. */
  readonly onRefused: (refusal: Refusal, request: Request) => void;
  readonly log: Log;
  /** Changes at run time and results of checks, by the names of backends. Proxies update them. */
  readonly overrides: BackendOverrides;
  /** The backends that each service discovery found last. */
  readonly discovered: DiscoveredBackends;
  /** Creates the clients of backends and of services for authentication; absent for those that connect to them. */
  readonly createClient?: CreateClient;
  /** What the site sends of files; absent for those of this machine. */
  readonly disk?: SiteDisk;
}

/** A disk that is not the one of this machine. */
export interface SiteDisk extends FileSource {
  /** The page in the file at `path`, which is absolute. */
  page(path: string): PageSource;
}

/** What a route needs to be built. */
export interface RouteContext {
  readonly config: Site;
  readonly parts: SiteParts;
  /** The placeholders that texts of the route may have. */
  readonly placeholders: Placeholders;
  readonly errors: ConfigErrors;
  /** Adds a problem that clients will notice, although the server works. */
  readonly warn: (problem: string) => void;
  /** The keys that lead to the route: `route`, `0`. Empty for features of the whole site. */
  readonly keys: readonly PropertyKey[];
  /** Adds a resource that ends with the site. */
  readonly hold: (resource: SiteResource) => void;
  /** Adds the reverse proxy of the route. */
  readonly holdProxy: (proxy: ReverseProxy) => void;
  /** The handlers of features of the whole site, as far as they were made; null for a feature that is off. */
  readonly shared: Map<string, Handler | null>;
  /** What the limits of the site count. */
  readonly zones: LimitZones;
  /** Answers a request with the route for a decoded path, also an internal one; null if there is none. */
  readonly lead: (request: Request, path: string) => HandlerResult | null;
  /** Answers a request that an application redirects with X-Accel-Redirect; null if no route is internal. */
  readonly internal: ((request: Request, path: string) => HandlerResult) | null;
}

/** Something that ends with a site. */
export interface SiteResource {
  /** Another site takes over. Ends what running requests do not need, such as idle connections to backends. */
  stop(): void;
  /** Ends everything. */
  destroy(): void;
}

/** The end of a chain. */
export type Terminal = ChainEnd;
