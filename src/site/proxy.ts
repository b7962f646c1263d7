import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { ViaductError } from '../errors.ts';
import { omitUndefined } from '../handlers/options.ts';
import { mapResponse } from '../http/handler.ts';
import { parseTemplate } from '../placeholders/template.ts';
import { textKey } from '../placeholders/text-key.ts';
import { type Backend, type BackendTls, parseBackend } from '../proxy/backend.ts';
import type { Balancer } from '../proxy/balancer.ts';
import { consistentHash } from '../proxy/balancers/consistent-hash.ts';
import { leastConnections } from '../proxy/balancers/least-connections.ts';
import { randomTwo } from '../proxy/balancers/random-two.ts';
import { roundRobin } from '../proxy/balancers/round-robin.ts';
import type { CgiParam } from '../proxy/cgi/request-params.ts';
import { rememberBackends } from '../proxy/discovery/discovered-backends.ts';
import { hashKey } from '../proxy/hash-key.ts';
import type { ActiveCheckOptions } from '../proxy/health/active-checks.ts';
import { reverseProxy } from '../proxy/reverse-proxy.ts';
import type { ReverseProxyOptions } from '../proxy/reverse-proxy-options.ts';
import type { StickyOptions } from '../proxy/sticky.ts';
import { discoveryOf, isSource } from './discovery.ts';
import { notFound } from './not-found.ts';
import { responseRewriting } from './response-rewriting.ts';
import type { RouteContext, Terminal } from './route-context.ts';
import type { ProxyOptionsConfig } from './schema/proxy-options.ts';
import type { RouteConfig } from './schema/site.ts';

const SECRET_LENGTH_MIN = 16;

/** The end of a route that sends requests to backends. */
export function proxyTo(route: RouteConfig, context: RouteContext): Terminal {
  const { proxy: backends, proxy_options: options } = route;
  const { keys, parts, errors, holdProxy } = context;
  const base = parts.baseOf('route');
  const tls = errors.attempt([...keys, 'proxy_options', 'tls_ca'], () =>
    omitUndefined({
      serverName: options.tls_server_name,
      ca: options.tls_ca === undefined ? undefined : readText(resolve(base, options.tls_ca)),
      verify: options.tls_verify,
    }),
  );
  const secret = errors.attempt([...keys, 'proxy_options', 'sticky', 'secret_file'], () =>
    secretOf(options.sticky, base),
  );
  if (tls === null || secret === null) return { name: 'proxy', next: notFound };
  const sources = errors.attempt([...keys, 'proxy'], () => sourcesOf(backends, options, tls, context));
  if (sources === null) return { name: 'proxy', next: notFound };
  const rewriting = errors.attempt([...keys, 'proxy_options', 'redirects'], () => [
    responseRewriting(route, sources.backends, context.placeholders),
  ]);
  const params = errors.attempt([...keys, 'proxy_options', 'params'], () =>
    Object.entries(options.params).map(
      ([name, value]): CgiParam => [name, parseTemplate(value, context.placeholders, { setting: `params ${name}` })],
    ),
  );
  const proxy = reverseProxy({
    ...omitUndefined({
      sticky: stickyOf(options.sticky, secret),
      checks: checksOf(options.health),
      createClient: parts.createClient,
    }),
    ...sources,
    balancer: balancerOf(options, context),
    connectTimeoutMs: options.connect_timeout_ms,
    retryAfterMs: options.retry_after_ms,
    retryAfterMsMax: options.retry_after_ms_max,
    failuresMax: options.failures_max,
    failedStatuses: options.failed_statuses,
    retries: options.retries,
    retryOn: options.retry_on,
    retryBudget: options.retry_budget,
    connectionsMax: options.connections_max,
    queueMax: options.queue_max,
    queueTimeoutMs: options.queue_timeout_ms,
    slowStartMs: options.slow_start_ms,
    responseTimeoutMs: options.response_timeout_ms,
    idleTimeoutMs: options.idle_timeout_ms,
    tunnelIdleTimeoutMs: options.tunnel_idle_timeout_ms,
    bufferRequest: options.buffer_request,
    bufferResponse: options.buffer_response,
    bufferMemoryBytesMax: options.buffer_memory_bytes_max,
    bufferFileBytesMax: options.buffer_file_bytes_max,
    keepAliveMax: options.keep_alive_max,
    keepAliveTimeoutMs: options.keep_alive_timeout_ms,
    hostHeader: options.host,
    responseHeadBytesMax: options.head_bytes_max,
    responseHeadCountMax: options.head_count_max,
    forwarded: options.forwarded,
    underscores: options.underscores_in_headers,
    params: params ?? [],
    listenerPorts: parts.listeners.map(({ SERVER_PORT }) => SERVER_PORT),
    overrides: parts.overrides,
    onError: parts.onError,
    onInfo: (message) => parts.log.info(message),
  });
  holdProxy(proxy);
  const name = `proxy ${backends.map(({ url }) => url).join(', ')}`;
  const rewrite = rewriting?.[0] ?? null;
  return {
    name,
    next:
      rewrite === null
        ? proxy.handle
        : (request) => mapResponse(proxy.handle(request), (response) => rewrite(request, response)),
  };
}

/** The backends of the configuration, and the service discoveries that find further backends. */
function sourcesOf(
  backends: RouteConfig['proxy'],
  { discovery: options }: ProxyOptionsConfig,
  tls: BackendTls,
  { parts }: RouteContext,
): Pick<ReverseProxyOptions, 'backends' | 'discoveries'> {
  const base = parts.baseOf('route');
  const discoveryParts = {
    options,
    base,
    backendOf: (url: string) => backendOf(url, base, tls),
    onError: (message: string) => parts.log.warn(message),
  };
  const named = backends.filter(({ url }) => !isSource(url));
  const sources = backends.filter(({ url }) => isSource(url));
  return {
    backends: named.map(({ url, weight, backup }) => ({ ...backendOf(url, base, tls), weight, backup })),
    discoveries: sources.map(({ url, weight, backup }) => {
      // A weight of the service discovery applies only if the configuration has none.
      const changes = { ...(weight === 1 ? {} : { weight }), ...(backup ? { backup } : {}) };
      const key = JSON.stringify([url, changes, tls, options]);
      return rememberBackends(discoveryOf(url, changes, discoveryParts), parts.discovered, key);
    }),
  };
}

function balancerOf(
  { balance, hash_by: by }: RouteConfig['proxy_options'],
  { keys, errors, placeholders }: RouteContext,
): Balancer {
  switch (balance) {
    case 'round-robin':
      return roundRobin();
    case 'least-connections':
      return leastConnections();
    case 'random-two':
      return randomTwo();
    case 'hash':
      return consistentHash(
        errors.attempt([...keys, 'proxy_options', 'hash_by'], () =>
          by.includes('{') ? textKey(by, placeholders) : hashKey(by),
        ) ?? hashKey('address'),
      );
  }
}

/** The key for the cookies of sticky sessions; '' if there are no sticky sessions. */
function secretOf(sticky: ProxyOptionsConfig['sticky'], base: string): string {
  if (sticky?.secret_file === undefined) return sticky?.secret ?? '';
  const secret = readText(resolve(base, sticky.secret_file)).trim();
  if (secret.length >= SECRET_LENGTH_MIN) return secret;
  throw new ViaductError(
    'SETTINGS',
    `Cannot use "${sticky.secret_file}": it has fewer than ${SECRET_LENGTH_MIN} characters`,
  );
}

function stickyOf(sticky: ProxyOptionsConfig['sticky'], secret: string): StickyOptions | undefined {
  if (sticky === undefined) return undefined;
  return { cookie: sticky.cookie, secret, maxAgeS: sticky.max_age_s ?? null, path: sticky.path };
}

function checksOf(health: ProxyOptionsConfig['health']): ActiveCheckOptions | undefined {
  if (health === undefined) return undefined;
  return {
    path: health.path,
    host: health.host ?? null,
    statuses: health.status,
    body: health.body ?? null,
    intervalMs: health.interval_ms,
    timeoutMs: health.timeout_ms,
    healthyAfter: health.healthy_after,
    unhealthyAfter: health.unhealthy_after,
  };
}

/** Converts the URL of a backend, whose form the schema has checked. Relative paths of sockets start at `base`. */
export function backendOf(url: string, base: string, tls: BackendTls = {}): Backend {
  const absolute = url.replace(/^(.*?unix:)(.+)$/, (_, before: string, path: string) => before + resolve(base, path));
  const backend = parseBackend(absolute, tls);
  if (backend === null) throw new ViaductError('SETTINGS', `Cannot use backend "${url}": it is not a valid backend`);
  return backend;
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new ViaductError('SETTINGS', `Cannot read "${path}": ${(error as Error).message}`);
  }
}
