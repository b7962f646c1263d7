import { staticFiles } from '../handlers/files/static.ts';
import type { Handler } from '../http/handler.ts';
import type { StaticMount } from '../project/project.ts';
import { STATIC_REVALIDATE_MS } from './revalidate.ts';
import type { RouteContext } from './route-context.ts';
import type { RouteConfig } from './schema/site.ts';

/**
 * The handler for the static files that discovery found for an application of [apps]: those of Django. Relative prefixes are below the mount of
 * the route. Files that no route of the application leads to are a warning.
 */
export function applicationFiles(route: RouteConfig, { config, parts, warn }: RouteContext): Handler[] {
  const { app } = route;
  if (app === undefined) return [];
  const found = parts.filesOf(app);
  const routes = config.route.filter((other) => other.app === app);
  const lost = found.find((files) => !routes.some((other) => leadsTo(other, files)));
  if (lost !== undefined && routes[0] === route) {
    const advice =
      route.mount === undefined
        ? `add "${lost.urlPrefix}*" to the path of its route`
        : 'write its STATIC_URL without a slash at the start';
    warn(`no route leads to the static files of application ${app}, at ${lost.urlPrefix}: ${advice}`);
  }
  const mounts = found
    .filter((files) => leadsTo(route, files))
    .map((files) => ({ urlPrefix: prefixIn(route, files), directories: files.directories }));
  if (mounts.length === 0) return [];
  const { staticCacheBytesMax: cacheBytesMax, dev } = parts;
  return [staticFiles({ mounts, cacheBytesMax, revalidateMs: dev ? 0 : STATIC_REVALIDATE_MS })];
}

/** Where the files are, with the mount of the route if their prefix is relative. */
function prefixIn({ mount = '' }: RouteConfig, { urlPrefix, isRelative }: StaticMount): string {
  return isRelative === true ? mount.replace(/\/$/, '') + urlPrefix : urlPrefix;
}

/** Whether the route has all paths of the files. A route without paths has all those below its mount. */
function leadsTo(route: RouteConfig, files: StaticMount): boolean {
  const prefix = prefixIn(route, files);
  const { mount = '', path: paths } = route;
  if (!prefix.startsWith(`${mount.replace(/\/$/, '')}/`)) return false;
  return paths.length === 0 || paths.some((path) => path.endsWith('*') && prefix.startsWith(path.slice(0, -1)));
}
