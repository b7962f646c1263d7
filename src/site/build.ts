import type { Place } from '../config/site/keys.ts';
import type { RouteConfig, Site } from '../config/site/schema.ts';
import type { Handler, HandlerResult, Next } from '../http/handler.ts';
import type { Request } from '../http/message.ts';
import { Response } from '../http/response.ts';
import type { Log } from '../log/log.ts';
import type { ReverseProxy } from '../proxy/reverse-proxy.ts';
import { compose } from '../routing/chain.ts';
import { Pattern } from '../routing/pattern.ts';
import { type RouteMatch, Router } from '../routing/router.ts';
import { routingPath } from '../routing/routing-path.ts';
import type { Findings } from '../upstream/discovery/remembered.ts';
import type { Standings } from '../upstream/member.ts';
import { Mistakes } from './config-errors.ts';
import { accelerated, contentOf } from './content.ts';
import { type Features, featuresOf } from './features.ts';
import { notFound } from './not-found.ts';

/** What a site is built with beside its configuration. */
export interface SiteParts {
  readonly place: Place;
  /** Where relative paths of a key start. */
  readonly baseOf: (key: string) => string;
  /** Answers with the application of that name; null where there is none. */
  readonly application: (name: string) => Next | null;
  /** The application for what no route takes, with its static files; null when there is none. */
  readonly main: Next | null;
  readonly dev: boolean;
  readonly staticCacheBytesMax: number;
  /** What a request's content may have where its route does not say. */
  readonly bodyBytesMax: number;
  /** The port of each listener, by its index. */
  readonly listenerPorts: readonly string[];
  readonly onError: (message: string, request: Request) => void;
  readonly log: Log;
  /** What is known of backends by their names. Proxies change it. */
  readonly standings: Standings;
  /** What engines that know backends have found last. */
  readonly findings: Findings;
}

/** A route as it is resolved, for people. */
export interface ResolvedRoute {
  readonly name: string;
  readonly match: RouteMatch;
  /** Only an application leads there. */
  readonly internal: boolean;
  /** Names of the handlers in the order that a request meets them, what answers it last. */
  readonly steps: readonly string[];
}

export interface BuiltSite {
  readonly handle: Next;
  readonly routes: readonly ResolvedRoute[];
  /** The proxies of the routes that have one, by the routes' names. */
  readonly proxies: ReadonlyMap<string, ReverseProxy>;
  /** Begins what goes on without requests, such as checks of backends. To be awaited before requests come. */
  start(): Promise<void>;
  /** Another site takes over: ends what requests do not need any more, such as idle connections to backends. */
  stop(): void;
  /** Ends everything. */
  destroy(): void;
}

/** What a route is built with. */
export interface RouteContext {
  readonly config: Site;
  readonly parts: SiteParts;
  readonly mistakes: Mistakes;
  /** Where the route stands: `route`, `0`; empty for what holds for all routes. */
  readonly keys: readonly string[];
  /** Adds what the site holds. */
  readonly hold: (held: Held) => void;
  readonly holdProxy: (proxy: ReverseProxy) => void;
  /** Handlers of features that hold for the whole site, as far as they were made. */
  readonly shared: Map<string, Handler | null>;
  /** Answers what an application leads to with X-Accel-Redirect; null when no route is internal. */
  readonly internal: ((request: Request, path: string) => HandlerResult) | null;
}

/** What ends with a site. */
export type Held = Pick<BuiltSite, 'stop' | 'destroy'>;

/** The end of a chain. */
export interface Last {
  readonly name: string;
  readonly next: Next;
}

/**
 * Makes the handler of a site: each request goes to the chain of the route that it matches, or else to the main application.
 *
 * @throws ViaductError `SETTINGS` with every mistake, a line each.
 */
export function buildSite(config: Site, parts: SiteParts): BuiltSite {
  const mistakes = new Mistakes(parts.place);
  const held: Held[] = [];
  const proxies = new Map<string, ReverseProxy>();
  let internals = new Router<Next>([]);
  const hasInternal = config.route.some(({ internal }) => internal);
  const common = {
    config,
    parts,
    mistakes,
    hold: (one: Held) => held.push(one),
    holdProxy: () => {},
    shared: new Map<string, Handler | null>(),
    internal: hasInternal
      ? (request: Request, path: string) => (internals.find(request, path) ?? notFound)(request)
      : null,
  };
  const defaults = defaultsOf(config, parts);
  const routes = config.route.map((route, index) => {
    const name = route.name ?? `route ${index + 1}`;
    const holdProxy = (proxy: ReverseProxy): void => {
      held.push(proxy);
      proxies.set(name, proxy);
    };
    const context = { ...common, keys: ['route', `${index}`], holdProxy };
    const content = contentOf(route, context);
    const handlers = [...featuresOf(route, defaults, context), ...content.handlers];
    return chain(name, matchOf(route, context), route.internal, handlers, content.last);
  });
  const other = { name: 'application', next: parts.main ?? notFound };
  const everywhere = { ...common, keys: [] };
  const restHandlers = [...featuresOf({}, defaults, everywhere), ...accelerated(everywhere)];
  const rest = chain('other requests', ANY, false, restHandlers, other);
  const destroy = (): void => {
    for (const one of held) one.destroy();
  };
  const stop = (): void => {
    for (const one of held) one.stop();
  };
  const start = async (): Promise<void> => {
    await Promise.all([...proxies.values()].map((proxy) => proxy.start()));
  };
  if (mistakes.lines.length > 0) destroy();
  mistakes.throwIfAny();
  const routerOf = (internal: boolean) =>
    new Router(
      routes
        .filter(({ resolved }) => resolved.internal === internal)
        .map(({ resolved, next }) => ({ match: resolved.match, value: next })),
    );
  internals = routerOf(true);
  const handle = routes.length === 0 ? rest.next : routed(routerOf(false), rest.next);
  return { handle, routes: [...routes, rest].map(({ resolved }) => resolved), proxies, start, stop, destroy };
}

const ANY: RouteMatch = { hosts: [], paths: [], patterns: [], methods: [], headers: [], query: [] };

/** What holds for all routes. Where one may have more content than others, the connection cannot limit it. */
function defaultsOf(config: Site, { bodyBytesMax }: SiteParts): Features {
  const isRaised = config.route.some((route) => (route.body_bytes_max ?? 0) > bodyBytesMax);
  return isRaised ? { ...config, body_bytes_max: bodyBytesMax } : config;
}

function chain(name: string, match: RouteMatch, internal: boolean, handlers: readonly Handler[], last: Last) {
  const steps = [...handlers.map((handler) => handler.name), last.name];
  return { resolved: { name, match, internal, steps }, next: compose(handlers, last.next) };
}

function routed(router: Router<Next>, rest: Next): Next {
  return function route(request: Request): HandlerResult {
    const path = routingPath(request.path);
    if (path === null) return ambiguousPath();
    const next = router.find(request, path);
    return next === null ? rest(request) : next(request);
  };
}

function matchOf(route: RouteConfig, { mistakes, keys }: RouteContext): RouteMatch {
  const mounted = route.mount === undefined ? [] : [`${route.mount}/*`];
  return {
    hosts: route.host.map((host) => host.toLowerCase()),
    paths: route.path.length > 0 ? route.path : mounted,
    patterns: route.path_pattern.flatMap((source, index) => {
      const pattern = mistakes.attempt(
        [...keys, 'path_pattern', `${index}`],
        () => new Pattern(source, 'path_pattern'),
      );
      return pattern === null ? [] : [{ source, test: (path: string) => pattern.match(path) !== null }];
    }),
    methods: route.methods,
    headers: Object.entries(route.match_headers).map(([name, value]) => [name.toLowerCase(), value] as const),
    query: Object.entries(route.match_query),
  };
}

function ambiguousPath(): Response {
  return Response.text(400, '400 Bad Request: the path has a segment "." or ".."\n');
}
