import { join } from 'node:path';
import type { Handler, Next } from '../../http/handler.ts';
import type { Request } from '../../http/message.ts';
import { Response } from '../../http/response.ts';
import { type Candidate, FileCache } from '../files/file-cache.ts';
import { respondWithFile } from '../files/file-response.ts';
import { decodePath, isVisible } from '../files/path.ts';

export interface StaticOptions {
  /** In order: the first that has the file wins. */
  readonly mounts: readonly StaticMount[];
  /** Memory for small files, of all mounts together. */
  readonly cacheBytesMax: number;
  /** How long a file in memory is served before it is compared with the one on disk; 0 compares at each request. */
  readonly revalidateMs: number;
}

export interface StaticMount {
  /** Where the files appear, not percent-encoded: begins and ends with a slash. */
  readonly urlPrefix: string;
  /** Absolute, in order: the first that has the file wins. */
  readonly directories: readonly string[];
}

/**
 * Serves the files of directories below paths. Answers GET and HEAD with conditions and ranges, other methods with 405, and what is not
 * there, hidden, not a regular file or outside of its directory with 404. Below the prefix `/`, which is everything, it passes on
 * what it has no file for.
 */
export function staticFiles({ mounts, cacheBytesMax, revalidateMs }: StaticOptions): Handler {
  const prefixes = mounts.map(({ urlPrefix }) => urlPrefix);
  const owned = prefixes.filter((prefix) => prefix !== '/');
  const cache = new FileCache({ bytesMax: cacheBytesMax, revalidateMs });

  return function staticFiles(request, next) {
    const { path: encoded, method, headers } = request;
    const path = decodePath(encoded);
    if (!isBelow(prefixes, path ?? encoded)) return next(request);
    const mayPass = !isBelow(owned, path ?? encoded);
    if (method !== 'GET' && method !== 'HEAD') return mayPass ? next(request) : methodNotAllowed();
    if (path === null) return mayPass ? next(request) : notFound();
    const fresh = cache.fresh(path);
    if (fresh !== null) return respondWithFile(fresh, method, headers);
    return cache.load(path, candidatesFor(mounts, path)).then((file) => {
      if (file !== null) return respondWithFile(file, method, headers);
      return mayPass ? passOn(request, next) : notFound();
    });
  };
}

function isBelow(prefixes: readonly string[], path: string): boolean {
  for (const prefix of prefixes) if (path.startsWith(prefix)) return true;
  return false;
}

function candidatesFor(mounts: readonly StaticMount[], path: string): Candidate[] {
  return mounts.flatMap(({ urlPrefix, directories }) => {
    const relative = path.startsWith(urlPrefix) ? path.slice(urlPrefix.length) : '';
    return isVisible(relative) ? directories.map((root) => ({ root, path: join(root, relative) })) : [];
  });
}

function notFound(): Response {
  return Response.text(404, 'Not Found\n');
}

function methodNotAllowed(): Response {
  return Response.text(405, 'Method Not Allowed\n', ['Allow', 'GET, HEAD']);
}

function passOn(request: Request, next: Next): Promise<Response> {
  return new Promise((resolve, reject) => {
    const result = next(request);
    if (result instanceof Response) resolve(result);
    else result.then(resolve, reject);
  });
}
