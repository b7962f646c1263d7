import { resolve } from 'node:path';
import { accelRedirect } from '../handlers/files/accel-redirect.ts';
import { filesFrom, staticFiles } from '../handlers/files/static.ts';
import { omitUndefined, pairs } from '../handlers/options.ts';
import { mount } from '../handlers/rewriting/mount.ts';
import { redirect } from '../handlers/rewriting/redirect.ts';
import type { Handler } from '../http/handler.ts';
import { checkMounts, findMissing } from '../static/check-mounts.ts';
import type { StaticMount } from '../static/mount.ts';
import { applicationFiles } from './application-files.ts';
import { MAIN } from './configuration.ts';
import { notFound } from './not-found.ts';
import { proxyTo } from './proxy.ts';
import { responding } from './respond.ts';
import { STATIC_REVALIDATE_MS } from './revalidate.ts';
import type { RouteContext, Terminal } from './route-context.ts';
import type { RouteConfig } from './schema/site.ts';

/** What answers the requests of a route: handlers that may pass requests on, and the end of the chain. */
export interface Content {
  readonly handlers: readonly Handler[];
  readonly last: Terminal;
}

export function contentOf(route: RouteConfig, context: RouteContext): Content {
  const handlers = [
    ...mounted(route, context),
    ...files(route, context),
    ...applicationFiles(route, context),
    ...redirection(route, context),
    ...(endsInApplication(route) ? accelerated(context) : []),
  ];
  return { handlers, last: lastOf(route, context) };
}

function mounted({ mount: prefix }: RouteConfig, { keys, errors }: RouteContext): Handler[] {
  if (prefix === undefined) return [];
  const handler = errors.attempt([...keys, 'mount'], () => mount({ prefix }));
  return handler === null ? [] : [handler];
}

function redirection({ redirect: options }: RouteConfig, { keys, errors, placeholders }: RouteContext): Handler[] {
  if (options === undefined) return [];
  const { to, status, pattern, decoded } = options;
  const handler = errors.attempt([...keys, 'redirect'], () =>
    redirect(omitUndefined({ to, status, pattern, decoded }), placeholders),
  );
  return handler === null ? [] : [handler];
}

/** The handler with which an application leads to internal routes and to files. */
export function accelerated({ config, internal, parts }: RouteContext): Handler[] {
  if (internal === null && config.sendfile.length === 0) return [];
  const base = parts.baseOf('sendfile');
  const directories = config.sendfile.map((directory) => resolve(base, directory));
  return [accelRedirect({ internal: internal ?? notFound, directories, report: parts.onError })];
}

/** Whether an application or a backend is at the end of the chain. */
function endsInApplication({ respond, redirect: options, static: directories, app, proxy }: RouteConfig): boolean {
  return (
    app !== undefined ||
    proxy.length > 0 ||
    (respond === undefined && options === undefined && directories.length === 0)
  );
}

const CODINGS = ['br', 'zstd', 'gzip'] as const;

/** The handler for the files of a route. Their URLs start with the route's path up to its last slash. */
function files(route: RouteConfig, { keys, parts, errors, warn }: RouteContext): Handler[] {
  if (route.static.length === 0) return [];
  const options = route.static_options;
  const base = parts.baseOf('route');
  const { fallback, fallback_for: fallbackFor, try_files: tryFiles, immutable, types, listing, headers } = options;
  const hasOther =
    route.app !== undefined || route.proxy.length > 0 || route.respond !== undefined || route.redirect !== undefined;
  const paths = route.path.length > 0 ? route.path : [`${route.mount ?? ''}/*`];
  const prefixes = paths.map((path) => path.slice(0, path.lastIndexOf('/') + 1) || '/');
  const mounts = [...new Set(prefixes)].map((urlPrefix): StaticMount => {
    const { precompressed } = options;
    return omitUndefined({
      urlPrefix,
      directories: route.static.map((directory) => resolve(base, directory)),
      precompressed: precompressed === true ? CODINGS : precompressed === false ? undefined : precompressed,
      index: options.index === false ? undefined : options.index,
      fallback,
      fallbackFor,
      tryFiles,
      immutable,
      cacheControl: options.cache_control,
      types,
      defaultType: options.default_type,
      headers: pairs(headers),
      listing,
      fallthrough: options.fallthrough ?? hasOther,
    });
  });
  for (const problem of checkMounts(mounts)) errors.add([...keys, 'static'], problem);
  const { disk } = parts;
  for (const problem of disk === undefined ? findMissing(mounts) : [])
    warn(`${problem}. Its requests get 404 until this changes`);
  const { dev, staticCacheBytesMax: cacheBytesMax } = parts;
  const revalidateMs = dev ? 0 : STATIC_REVALIDATE_MS;
  const handler = errors.attempt([...keys, 'static'], () =>
    disk === undefined ? staticFiles({ mounts, cacheBytesMax, revalidateMs }) : filesFrom(disk, mounts),
  );
  return handler === null ? [] : [handler];
}

function lastOf(route: RouteConfig, context: RouteContext): Terminal {
  const { keys, parts, errors } = context;
  const { respond, app, proxy, static: directories, redirect: redirection } = route;
  if (respond !== undefined) return responding(respond, context);
  if (proxy.length > 0) return proxyTo(route, context);
  if (app !== undefined) {
    const next = parts.application(app);
    if (next === null) errors.add([...keys, 'app'], `there is no application ${JSON.stringify(app)}`);
    if (app === MAIN && parts.main !== null) return { ...parts.main, name: `application ${app}` };
    return { name: `application ${app}`, next: next ?? notFound, application: app };
  }
  if (directories.length > 0 || redirection !== undefined) return NOT_FOUND;
  if (parts.main === null)
    errors.add(keys, 'nothing answers its requests: add app, proxy, static, redirect or respond');
  return parts.main ?? NOT_FOUND;
}

/** Nothing answers. */
export const NOT_FOUND: Terminal = { name: 'not found', next: notFound };
