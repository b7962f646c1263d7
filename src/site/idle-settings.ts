import { proxyOptions } from './schema/proxy-options.ts';
import type { RouteConfig } from './schema/site.ts';
import { staticOptions } from './schema/static-options.ts';

/** A setting of a route that has no effect, because another one that it needs is missing. */
export interface IdleSetting {
  readonly keys: readonly string[];
  readonly problem: string;
}

type ProxyOptions = RouteConfig['proxy_options'];

interface Need {
  readonly settings: readonly (keyof ProxyOptions)[];
  readonly isMet: (options: ProxyOptions, route: RouteConfig) => boolean;
  /** What to do, as the end of a sentence. */
  readonly needed: string;
}

const PROXY_DEFAULTS = proxyOptions.parse({});
const STATIC_DEFAULTS = staticOptions.parse({});

/** What options of backends need to have an effect. */
const NEEDS: readonly Need[] = [
  { settings: ['hash_by'], isMet: ({ balance }) => balance === 'hash', needed: 'balance = "hash"' },
  {
    settings: ['queue_max', 'queue_timeout_ms'],
    isMet: (options) => options.connections_max > 0,
    needed: 'connections_max',
  },
  {
    settings: ['retry_after_ms_max'],
    isMet: (options) => options.retry_after_ms > 0,
    needed: 'retry_after_ms above 0',
  },
  { settings: ['retry_on', 'retry_budget'], isMet: ({ retries }) => retries > 0, needed: 'retries above 0' },
  {
    settings: ['buffer_memory_bytes_max'],
    isMet: (options) => options.buffer_request || options.buffer_response,
    needed: 'buffer_request or buffer_response',
  },
  { settings: ['buffer_file_bytes_max'], isMet: (options) => options.buffer_response, needed: 'buffer_response' },
  {
    settings: ['keep_alive_timeout_ms'],
    isMet: (options) => options.keep_alive_max > 0,
    needed: 'keep_alive_max above 0',
  },
  {
    settings: ['params'],
    isMet: (_, { proxy }) => proxy.some(({ url }) => !/^(?:https?|h2c?|unix):/.test(url)),
    needed: 'a backend with uwsgi, fastcgi or scgi',
  },
  {
    settings: ['tls_server_name', 'tls_ca', 'tls_verify'],
    isMet: (_, { proxy }) => proxy.some(({ url }) => !/^(?:http|h2c|unix|uwsgi|fastcgi|scgi):/.test(url)),
    needed: 'a backend with https or h2',
  },
];

/** The settings of a route that are not the default and have no effect. */
export function idleSettings(route: RouteConfig): IdleSetting[] {
  return [...idleProxyOptions(route), ...idleStaticOptions(route)];
}

function idleProxyOptions(route: RouteConfig): IdleSetting[] {
  const { proxy, proxy_options: options } = route;
  if (proxy.length === 0)
    return differs(options, PROXY_DEFAULTS) ? [idle(['proxy_options'], 'proxy, the backends of the route')] : [];
  return NEEDS.flatMap(({ settings, isMet, needed }) =>
    settings
      .filter((name) => differs(options[name], PROXY_DEFAULTS[name]) && !isMet(options, route))
      .map((name) => idle(['proxy_options', name], needed)),
  );
}

function idleStaticOptions({ static: directories, static_options: options }: RouteConfig): IdleSetting[] {
  if (directories.length === 0)
    return differs(options, STATIC_DEFAULTS) ? [idle(['static_options'], 'static, the directories of the route')] : [];
  const isIdle = options.fallback === undefined && differs(options.fallback_for, STATIC_DEFAULTS.fallback_for);
  return isIdle ? [idle(['static_options', 'fallback_for'], 'fallback')] : [];
}

function idle(keys: readonly string[], needed: string): IdleSetting {
  return { keys, problem: `it has no effect without ${needed}` };
}

function differs(value: unknown, usual: unknown): boolean {
  return JSON.stringify(value) !== JSON.stringify(usual);
}
