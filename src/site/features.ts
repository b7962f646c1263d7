import { resolve } from 'node:path';
import type { FeatureConfig, FeatureName, RouteConfig } from '../config/site/schema.ts';
import { addressList } from '../handlers/auth/address-list.ts';
import { basicAuth } from '../handlers/auth/basic-auth.ts';
import { type AuthQuestion, forwardAuth } from '../handlers/auth/forward-auth.ts';
import { readHtpasswd } from '../handlers/auth/htpasswd.ts';
import { compression } from '../handlers/compression/compression.ts';
import { cors } from '../handlers/headers/cors.ts';
import { headers } from '../handlers/headers/headers.ts';
import { securityHeaders } from '../handlers/headers/security-headers.ts';
import { bodyLimit } from '../handlers/limits/body-limit.ts';
import { rateLimit } from '../handlers/limits/rate-limit.ts';
import { requestLimit } from '../handlers/limits/request-limit.ts';
import { mapValues, omitUndefined, pairs } from '../handlers/options.ts';
import { errorPages } from '../handlers/pages/error-pages.ts';
import { maintenance } from '../handlers/pages/maintenance.ts';
import { canonicalHost } from '../handlers/rewriting/canonical-host.ts';
import { httpsRedirect } from '../handlers/rewriting/https-redirect.ts';
import { rewrite } from '../handlers/rewriting/rewrite.ts';
import type { Handler } from '../http/handler.ts';
import { CidrList } from '../http/semantics/cidr.ts';
import { subrequests } from '../proxy/subrequest.ts';
import type { RouteContext } from './build.ts';
import { backendOf } from './proxy.ts';

/** Idle connections to a service that is asked about requests. */
const KEEP_ALIVE_MAX = 16;

/** Makes the handler of a feature of its options. */
type Make<N extends FeatureName> = (config: FeatureConfig<N>, context: RouteContext) => Handler;

/**
 * Every feature, in the order in which a request meets them; a response meets them the other way round. So what changes responses sees all of
 * them, refusals too, and what refuses comes before what costs more.
 */
const FEATURES: { readonly [N in FeatureName]: Make<N> } = {
  headers: ({ set, add, remove, default: defaults, request }) =>
    headers({
      response: { set: pairs(set), add: pairs(add), remove, defaults: pairs(defaults) },
      request: { set: pairs(request.set), add: pairs(request.add), remove: request.remove },
    }),
  security_headers: (config) =>
    securityHeaders(
      omitUndefined({
        contentSecurityPolicy: config.content_security_policy,
        frameOptions: config.frame_options === false ? null : config.frame_options,
        referrerPolicy: config.referrer_policy === false ? null : config.referrer_policy,
        openerPolicy: config.opener_policy === false ? null : config.opener_policy,
        permissionsPolicy: config.permissions_policy,
        hsts:
          config.hsts === undefined
            ? undefined
            : {
                maxAgeS: config.hsts.max_age_s,
                includeSubdomains: config.hsts.include_subdomains,
                preload: config.hsts.preload,
              },
      }),
    ),
  compression: ({ encodings, bytes_min, types }) =>
    compression(omitUndefined({ encodings, bytesMin: bytes_min, types })),
  https_redirect: ({ port }) => httpsRedirect(omitUndefined({ port })),
  canonical_host: ({ host, from }) => canonicalHost(omitUndefined({ host, from })),
  error_pages: ({ pages, intercept }, { parts, keys }) =>
    errorPages({
      pages: mapValues(pages, (path) => ({ file: resolve(parts.baseOf(keys[0] ?? ''), path) })),
      intercept,
    }),
  maintenance: (config, { parts, keys }) => {
    const base = parts.baseOf(keys[0] ?? '');
    const allowed = CidrList.parse(config.allow);
    return maintenance({
      file: config.file === undefined ? null : resolve(base, config.file),
      enabled: config.enabled,
      allow: (address) => allowed.matches(address),
      retryAfterSeconds: config.retry_after_s ?? null,
      page: config.page === undefined ? null : { file: resolve(base, config.page) },
    });
  },
  access: ({ allow, deny }) => addressList(omitUndefined({ allow, deny })),
  rate_limit: ({ per, rate, burst, announce }) => rateLimit({ per, ratePerSecond: rate, burst, announce }),
  request_limit: ({ per, max, total_max, status }) =>
    requestLimit(omitUndefined({ per, max, totalMax: total_max, status })),
  cors: (config) =>
    cors(
      omitUndefined({
        origins: config.origins,
        methods: config.methods,
        headers: config.headers,
        exposedHeaders: config.exposed_headers,
        credentials: config.credentials,
        maxAgeS: config.max_age_s,
        privateNetwork: config.private_network,
      }),
    ),
  basic_auth: ({ users, file, remember_ms, realm, user_header, hide_credentials }, { parts, keys }) => {
    const listed = file === undefined ? [] : readHtpasswd(resolve(parts.baseOf(keys[0] ?? ''), file));
    const all = new Map([...listed, ...Object.entries(users)]);
    return basicAuth(
      omitUndefined({
        users: all,
        realm,
        rememberMs: remember_ms,
        userHeader: user_header,
        hideCredentials: hide_credentials,
      }),
    );
  },
  forward_auth: ({ url, timeout_ms, request_headers, copy_headers, client_headers }, { parts, keys, hold }) => {
    const slash = url.indexOf('/', url.indexOf('//') + 2);
    const backend = backendOf(url.slice(0, slash), parts.baseOf(keys[0] ?? ''));
    const service = subrequests(backend, timeout_ms, KEEP_ALIVE_MAX);
    hold({ stop: () => service.stop(), destroy: () => service.stop() });
    return forwardAuth(
      omitUndefined({
        ask: (question: AuthQuestion) => service.ask(question),
        path: url.slice(slash),
        requestHeaders: request_headers,
        copyHeaders: copy_headers,
        clientHeaders: client_headers,
        onError: (error: unknown) => parts.log.error(`Cannot ask ${url}: ${String(error)}`),
      }),
    );
  },
  body_bytes_max: (bodyBytesMax) => bodyLimit({ bodyBytesMax }),
  rewrite: ({ query, ...path }) =>
    rewrite(
      omitUndefined({
        ...path,
        query: query === undefined ? undefined : { set: pairs(query.set), remove: query.remove },
      }),
    ),
};

export type Features = { readonly [N in FeatureName]?: RouteConfig[N] };

/** The handlers of a route: what it has itself, and what holds for the whole site unless it says otherwise. */
export function featuresOf(route: Features, site: Features, context: RouteContext): Handler[] {
  const handlers: Handler[] = [];
  for (const name of Object.keys(FEATURES) as FeatureName[]) {
    const own = route[name];
    const keys = own === undefined ? [name] : [...context.keys, name];
    const handler =
      own === undefined ? sharedFeature(name, site[name], { ...context, keys }) : made(name, own, { ...context, keys });
    if (handler !== null) handlers.push(handler);
  }
  return handlers;
}

/** What holds for the whole site is one handler for all routes, so that a limit counts for all of them together. */
function sharedFeature<N extends FeatureName>(name: N, config: Features[N], context: RouteContext): Handler | null {
  const { shared } = context;
  const before = shared.get(name);
  if (before !== undefined) return before;
  const handler = made(name, config, context);
  shared.set(name, handler);
  return handler;
}

/** Null where the feature is off, or its options are wrong. */
function made<N extends FeatureName>(name: N, config: Features[N], context: RouteContext): Handler | null {
  if (config === undefined || config === null) return null;
  return context.mistakes.attempt(context.keys, () => make(name, config as FeatureConfig<N>, context));
}

function make<N extends FeatureName>(name: N, config: FeatureConfig<N>, context: RouteContext): Handler {
  return FEATURES[name](config, context);
}
