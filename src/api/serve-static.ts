import { resolve } from 'node:path';
import { ViaductError } from '../errors.ts';
import { staticFiles } from '../handlers/files/static.ts';
import { checkMounts, findMissing } from '../static/check-mounts.ts';
import type { StaticMount } from '../static/mount.ts';
import type { Middleware } from '../wsgi/contract.ts';
import { handlerMiddleware } from '../wsgi/handler-middleware.ts';

/** Options of `serveStatic`: how the files are served. */
export interface ServeStaticOptions extends Omit<StaticMount, 'urlPrefix' | 'directories'> {
  /** Memory for small files, in bytes. 64 MiB by default. */
  readonly cacheBytesMax?: number | undefined;
  /** Milliseconds for which a file in memory is served before it is compared with the one on disk. 1000 by default; 0 compares at each request. */
  readonly revalidateMs?: number | undefined;
}

const CACHE_BYTES_MAX = 64 * 1024 * 1024;
const REVALIDATE_MS = 1000;

/**
 * Middleware that answers requests below a path with files, as the server does for its own `static`: with conditions, ranges and types. A request that is
 * not below the path goes on to the application.
 *
 * @param urlPrefix starts and ends with a slash: `/static/`
 * @param directories one or several; the first that has the file wins. Relative paths start at the current directory
 * @throws ViaductError `SETTINGS` for a directory that does not exist, and for options that contradict each other
 *
 * @example
 * ```ts
 * import { pythonApp, serve, serveStatic } from 'viaduct';
 *
 * await serve({ application: serveStatic('/assets/', 'dist')(pythonApp()), port: 8000 });
 * ```
 */
export function serveStatic(
  urlPrefix: string,
  directories: string | readonly string[],
  options: ServeStaticOptions = {},
): Middleware {
  const { cacheBytesMax = CACHE_BYTES_MAX, revalidateMs = REVALIDATE_MS, ...mount } = options;
  const all = typeof directories === 'string' ? [directories] : directories;
  const mounts = [{ ...mount, urlPrefix, directories: all.map((directory) => resolve(directory)) }];
  const problems = [...checkMounts(mounts), ...findMissing(mounts)];
  if (problems.length > 0) throw new ViaductError('SETTINGS', problems.join('\n'));
  return handlerMiddleware(staticFiles({ mounts, cacheBytesMax, revalidateMs }));
}
