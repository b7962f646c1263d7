import type { Place } from '../config/site/keys.ts';
import type { RouteConfig, Site } from '../config/site/schema.ts';
import type { Handler, HandlerResult, Next } from '../http/handler.ts';
import type { Request } from '../http/message.ts';
import { Response } from '../http/response.ts';
import { compose } from '../web/compose.ts';
import { Pattern } from '../web/pattern.ts';
import { type RouteMatch, Router } from '../web/routes/router.ts';
import { routingPath } from '../web/routes/routing-path.ts';
import { contentOf } from './content.ts';
import { featuresOf } from './features.ts';
import { Mistakes } from './mistakes.ts';
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
  readonly onError: (message: string, request: Request) => void;
}

/** A route as it is resolved, for people. */
export interface ResolvedRoute {
  readonly name: string;
  readonly match: RouteMatch;
  /** Names of the handlers in the order that a request meets them, what answers it last. */
  readonly steps: readonly string[];
}

export interface BuiltSite {
  readonly handle: Next;
  readonly routes: readonly ResolvedRoute[];
  /** Frees what the site holds: connections to backends. */
  stop(): void;
}

/** What a route becomes while it is built. */
export interface RouteContext {
  readonly parts: SiteParts;
  readonly mistakes: Mistakes;
  /** Where the route stands: `route`, `0`; empty for what holds for all routes. */
  readonly keys: readonly string[];
  /** Called when the site is replaced. */
  readonly onStop: (stop: () => void) => void;
}

/**
 * Makes the handler of a site: each request goes to the chain of the route that it matches, or else to the main application.
 *
 * @throws ViaductError `SETTINGS` with every mistake, a line each.
 */
export function buildSite(config: Site, parts: SiteParts): BuiltSite {
  const mistakes = new Mistakes(parts.place);
  const stops: (() => void)[] = [];
  const context = (keys: readonly string[]): RouteContext => ({
    parts,
    mistakes,
    keys,
    onStop: (stop) => stops.push(stop),
  });
  const routes = config.route.map((route, index) => {
    const keys = ['route', `${index}`];
    const match = matchOf(route, context(keys));
    const content = contentOf(route, context(keys));
    return build(
      route.name ?? `route ${index + 1}`,
      match,
      [...featuresOf(route, config, context(keys)), ...content.handlers],
      content.last,
    );
  });
  const rest = build('other requests', ANY, featuresOf({}, config, context([])), {
    name: 'application',
    next: parts.main ?? notFound,
  });
  const stop = (): void => {
    for (const one of stops) one();
  };
  if (mistakes.lines.length > 0) stop();
  mistakes.throwIfAny();
  const router = new Router(routes.map(({ resolved, next }) => ({ match: resolved.match, value: next })));
  const handle = routes.length === 0 ? rest.next : routed(router, rest.next);
  return { handle, routes: [...routes, rest].map(({ resolved }) => resolved), stop };
}

/** The end of a chain. */
export interface Last {
  readonly name: string;
  readonly next: Next;
}

const ANY: RouteMatch = { hosts: [], paths: [], patterns: [], methods: [], headers: [], query: [] };

function build(name: string, match: RouteMatch, handlers: readonly Handler[], last: Last) {
  const steps = [...handlers.map((handler) => handler.name), last.name];
  return { resolved: { name, match, steps }, next: compose(handlers, last.next) };
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
