import { LimitZones } from '../handlers/limits/limit-zones.ts';
import { deriveRequest } from '../http/derived-request.ts';
import type { Handler, HandlerResult, Next } from '../http/handler.ts';
import type { Request } from '../http/message.ts';
import { Refusal } from '../http/refusal.ts';
import { refusalResponse } from '../http/semantics/refusal-response.ts';
import { STANDARD_PLACEHOLDERS } from '../placeholders/placeholders.ts';
import { routeGroups } from '../placeholders/route-groups.ts';
import type { ReverseProxy } from '../proxy/reverse-proxy.ts';
import { explainRoute } from '../routing/explain-route.ts';
import { PathPrefix } from '../routing/path-prefix.ts';
import { type RouteMatch, Router } from '../routing/router.ts';
import { djangoReading, literalReading, oneSlash, routingPath } from '../routing/routing-path.ts';
import { composeTraced } from '../routing/traced-chain.ts';
import type { Trace } from '../trace/trace.ts';
import { withoutClaimedFields } from './claimed-fields.ts';
import { ConfigErrors } from './config-errors.ts';
import { accelerated, contentOf, NOT_FOUND } from './content.ts';
import type { FeatureConfigs } from './features.ts';
import { idleSettings } from './idle-settings.ts';
import { placeholdersOf } from './maps.ts';
import { notFound } from './not-found.ts';
import { warnOfOpenErrorRoutes } from './open-error-routes.ts';
import type { SiteParts, SiteResource, Terminal } from './route-context.ts';
import { featuresOf } from './route-features.ts';
import { ANY, matchOf, patternsOf } from './route-match.ts';
import { routeName } from './route-name.ts';
import type { Site } from './schema/site.ts';
import { readTraceSecret } from './trace-options.ts';

/** A route with its handlers, for messages. */
export interface ResolvedRoute {
  readonly name: string;
  readonly match: RouteMatch;
  /** Whether only an application can lead to this route. */
  readonly internal: boolean;
  /** Names of the handlers in the order in which a request meets them, then the name of what answers. */
  readonly steps: readonly string[];
}

export interface BuiltSite extends SiteResource {
  readonly handle: Next;
  readonly routes: readonly ResolvedRoute[];
  /** Problems that clients will notice, although the server works. */
  readonly warnings: readonly string[];
  /** The reverse proxies, by the names of their routes. */
  readonly proxies: ReadonlyMap<string, ReverseProxy>;
  /** Starts the work that needs no requests, such as health checks of backends. Await it before requests arrive. */
  start(): Promise<void>;
}

/**
 * Builds the handler of a site. Each request goes to the chain of the route that it matches, or else to the main application.
 *
 * @throws ViaductError `SETTINGS` with all errors, one per line
 */
export function buildSite(config: Site, parts: SiteParts): BuiltSite {
  const errors = new ConfigErrors(parts.locate);
  const warnings: string[] = [];
  const resources: SiteResource[] = [];
  const proxies = new Map<string, ReverseProxy>();
  let internals = new Router<Next>([]);
  let router = new Router<Next>([]);
  /** Only by paths such as `@sorry`, so that no route for all paths comes before them. */
  let named = new Router<Next>([]);
  let unmatched: Next | null = null;
  const hasInternal = config.route.some(({ internal }) => internal);
  const placeholders = errors.attempt(['map'], () => placeholdersOf(config.map)) ?? STANDARD_PLACEHOLDERS;
  const common = {
    config,
    parts,
    placeholders,
    warn: (problem: string) => void warnings.push(problem),
    errors,
    hold: (resource: SiteResource) => resources.push(resource),
    holdProxy: () => {},
    shared: new Map<string, Handler | null>(),
    zones: new LimitZones(),
    lead: (request: Request, path: string) => {
      const next = path.startsWith('@')
        ? named.find(request, path)
        : (internals.find(request, path) ?? router.find(request, path) ?? unmatched);
      return next === null ? null : next(request);
    },
    internal: hasInternal
      ? (request: Request, path: string) => (internals.find(request, path) ?? notFound)(request)
      : null,
  };
  const defaults = defaultsOf(config, parts);
  const routes = config.route.map((route, index) => {
    const name = routeName(route, index);
    const holdProxy = (proxy: ReverseProxy): void => {
      resources.push(proxy);
      proxies.set(name, proxy);
    };
    const keys = ['route', index];
    const patterns = patternsOf(route, 'path_pattern', keys, errors);
    const context = { ...common, keys, holdProxy, placeholders: placeholders.with(routeGroups(patterns)) };
    if (route.access_log !== undefined && isShared(name, config))
      errors.add([...context.keys, 'access_log'], `another route has the name "${name}", too`);
    for (const { keys: own, problem } of idleSettings(route)) errors.add([...keys, ...own], problem);
    const content = contentOf(route, context);
    warnOfOpenErrorRoutes(route, defaults, context);
    const handlers = [...featuresOf(route, defaults, route.satisfy ?? config.satisfy, context), ...content.handlers];
    const { resolved, next } = chain(name, matchOf(route, patterns, context), route.internal, handlers, content.last);
    const share = route.trace ?? config.trace?.sample ?? 0;
    const explain = (request: Request, trace: Trace): void => explained(request, trace, resolved, share);
    return { resolved, next: noting(name, next, explain), mount: route.mount };
  });
  const main = parts.main ?? NOT_FOUND;
  const siteContext = { ...common, keys: [] };
  const mainHandlers = [...featuresOf({}, defaults, config.satisfy, siteContext), ...accelerated(siteContext)];
  const { resolved: others, next: othersNext } = chain('other requests', ANY, false, mainHandlers, main);
  if (config.trace !== undefined) {
    const { trace } = config;
    errors.attempt(['trace', trace.secret_file === undefined ? 'secret' : 'secret_file'], () =>
      readTraceSecret(trace, parts.baseOf('trace')),
    );
  }
  const anything = noting('', othersNext, (request, trace) =>
    explained(request, trace, null, config.trace?.sample ?? 0),
  );
  const destroy = (): void => {
    for (const resource of resources) resource.destroy();
  };
  const stop = (): void => {
    for (const resource of resources) resource.stop();
  };
  const start = async (): Promise<void> => {
    await Promise.all([...proxies.values()].map((proxy) => proxy.start()));
  };
  if (errors.lines.length > 0) destroy();
  errors.throwIfAny();
  const serverNames = parts.listeners.map(({ SERVER_NAME }) => SERVER_NAME);
  const routerOf = (internal: boolean) =>
    new Router(
      routes
        .filter(({ resolved }) => resolved.internal === internal)
        .map(({ resolved, next }) => ({ match: resolved.match, value: next })),
      serverNames,
    );
  internals = routerOf(true);
  named = new Router(
    routes.flatMap(({ resolved: { match }, next }) => {
      const paths = match.paths.filter((path) => path.startsWith('@'));
      return paths.length === 0 ? [] : [{ match: { ...match, paths, patterns: [] }, value: next }];
    }),
    serverNames,
  );
  router = routerOf(false);
  if (parts.main !== null) unmatched = anything;
  const visible = routes.flatMap(({ resolved }) => (resolved.internal ? [] : [resolved]));
  /** Notes why the route of a traced request was chosen. A request that was drawn for another route is not traced any more. */
  function explained(request: Request, trace: Trace, chosen: ResolvedRoute | null, share: number): void {
    if (trace.kept === 'sampled' && trace.draw >= share) {
      request.record.trace = null;
      return;
    }
    const path = routingPath(request.path) ?? request.path;
    const { why, rejected } = explainRoute(request, path, router.hostOf(request), visible, chosen);
    trace.chose(chosen?.name ?? '', why, rejected);
  }
  const mounts = new Map(
    routes.flatMap(({ next, mount }) => (mount === undefined ? [] : [[next, new PathPrefix(mount, 'mount')] as const])),
  );
  const ends: Ends = {
    unmatched: anything,
    server: composeTraced(mainHandlers, { name: 'not found', next: notFound }),
    refuse: (request, refusal) => {
      parts.onRefused(refusal, request);
      return refusalResponse(refusal);
    },
  };
  const all = routes.length === 0 ? anything : routed(router, mounts, ends);
  const handle = withoutClaimedFields([config, ...config.route], all);
  const resolved = [...routes.map((one) => one.resolved), others];
  return { handle, routes: resolved, warnings, proxies, start, stop, destroy };
}

/** The features of all routes. If one route allows more content than the others, connections cannot enforce the limit of the others. */
function defaultsOf(config: Site, { bodyBytesMax }: SiteParts): FeatureConfigs {
  const isRaised = config.route.some((route) => (route.body_bytes_max ?? 0) > bodyBytesMax);
  return isRaised ? { ...config, body_bytes_max: bodyBytesMax } : config;
}

/** Whether several routes have this name. */
function isShared(name: string, { route }: Site): boolean {
  return route.filter((one, index) => routeName(one, index) === name).length > 1;
}

function chain(name: string, match: RouteMatch, internal: boolean, handlers: readonly Handler[], last: Terminal) {
  const steps = [...handlers.map((handler) => handler.name), last.name];
  return { resolved: { name, match, internal, steps }, next: composeTraced(handlers, last) };
}

/** `next`, for which the record of each request has the name of its route, and its trace, if there is one, what `explain` notes. */
function noting(name: string, next: Next, explain: (request: Request, trace: Trace) => void): Next {
  return (request) => {
    const { record } = request;
    record.route = name;
    if (record.trace !== null) explain(request, record.trace);
    return next(request);
  };
}

/**
 * What programs make of the target `*` of OPTIONS: no path, the root, or a name in the root. Django and Flask read the empty
 * PATH_INFO as `/`.
 */
const READINGS_OF_ASTERISK = ['', '/', '/*'] as const;

const BAD_SEGMENT = ambiguous('it has a segment "." or "..", or a line break');
const BAD_BYTES = ambiguous('it has bytes that are not UTF-8');

/** What answers requests without a route: `unmatched` those for a path, `server` those that are only about the server, `refuse` errors. */
interface Ends {
  readonly unmatched: Next;
  readonly server: Next;
  readonly refuse: (request: Request, refusal: Refusal) => HandlerResult;
}

/**
 * Programs read some paths in several ways. If another reading leads to another route, and the path can be written so that
 * all programs read it as the route did, the route's handlers get it so. Otherwise the request is refused, and `OPTIONS *` is
 * answered by the server itself.
 */
function routed(router: Router<Next>, mounts: ReadonlyMap<Next, PathPrefix>, ends: Ends): Next {
  const { unmatched, server, refuse } = ends;
  const find = (request: Request, path: string): Next => router.find(request, path) ?? unmatched;

  /** A request for the root of an application, with the slash that the application adds at the end; null for another request. */
  function rootOf(request: Request, next: Next): Request | null {
    const prefix = mounts.get(next);
    if (prefix === undefined && request.scriptName === '') return null;
    const { path, scriptName } = prefix?.mountIn(request) ?? request;
    if (path.length !== scriptName.length) return null;
    const outer = path === request.path ? request.scriptName : oneSlash(request.scriptName);
    return deriveRequest(request, { path: `${path}/`, scriptName: outer });
  }

  return function route(request: Request): HandlerResult {
    request.record.trace?.begin('route', 'choice of the route');
    if (request.path === '*') {
      const [first, ...others] = READINGS_OF_ASTERISK.map((path) => find(request, path));
      return (others.every((next) => next === first) ? (first as Next) : server)(request);
    }
    const path = routingPath(request.path);
    if (path === null) return refuse(request, BAD_SEGMENT);
    const next = find(request, path);
    const root = mounts.size > 0 || request.scriptName !== '' ? rootOf(request, next) : null;
    if (root !== null) {
      const withSlash = find(request, `${path}/`);
      if (withSlash !== next) return withSlash(root);
    }
    if (path === request.path) return next(request);
    if (path.includes('\ufffd') && find(request, djangoReading(request.path)) !== next)
      return refuse(request, BAD_BYTES);
    const plain = oneSlash(request.path);
    if (plain === request.path || find(request, literalReading(request.path)) === next) return next(request);
    return next(deriveRequest(request, { path: plain, scriptName: oneSlash(request.scriptName) }));
  };
}

function ambiguous(reason: string): Refusal {
  return new Refusal(400, `programs disagree about the path, because ${reason}`);
}
