import { resolve } from 'node:path';
import { ViaductError } from '../errors.ts';
import { staticFiles } from '../handlers/files/static.ts';
import { checkMounts } from '../static/check-mounts.ts';
import type { StaticMount } from '../static/mount.ts';
import type { Middleware } from '../wsgi/contract.ts';
import { handlerMiddleware } from '../wsgi/handler-middleware.ts';

export interface ServeStaticOptions extends Omit<StaticMount, 'urlPrefix' | 'directories'> {
  /** Memory for small files, in bytes. 64 MiB by default. */
  readonly cacheBytesMax?: number;
  /** How long a file in memory is served before it is compared with the one on disk, in milliseconds. One second by default; 0 compares each time. */
  readonly revalidateMs?: number;
}

const CACHE_BYTES_MAX = 64 * 1024 * 1024;
const REVALIDATE_MS = 1000;

/**
 * Middleware that answers with the files of a directory below a path, as the server does for its own `static`: conditions, ranges, types. What is not below
 * the path goes on to the application.
 *
 * @param urlPrefix begins and ends with a slash: `/static/`
 * @param directories one or several, the first that has the file wins; relative to the current directory
 * @throws ViaductError `SETTINGS` for options that contradict each other
 */
export function serveStatic(
  urlPrefix: string,
  directories: string | readonly string[],
  options: ServeStaticOptions = {},
): Middleware {
  const { cacheBytesMax = CACHE_BYTES_MAX, revalidateMs = REVALIDATE_MS, ...mount } = options;
  const all = typeof directories === 'string' ? [directories] : directories;
  const mounts = [{ ...mount, urlPrefix, directories: all.map((directory) => resolve(directory)) }];
  const problems = checkMounts(mounts);
  if (problems.length > 0) throw new ViaductError('SETTINGS', problems.join('\n'));
  return handlerMiddleware(staticFiles({ mounts, cacheBytesMax, revalidateMs }));
}
