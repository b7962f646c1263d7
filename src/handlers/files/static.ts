import type { Handler, Next } from '../../http/handler.ts';
import type { Request } from '../../http/message.ts';
import { Response } from '../../http/response.ts';
import { FileCache } from '../../static/file-cache.ts';
import { respondWithFile } from '../../static/file-response.ts';
import type { StaticMount } from '../../static/mount.ts';
import { decodePath } from '../../static/path.ts';
import { StaticSite } from '../../static/static-site.ts';

export interface StaticOptions {
  /** In order: the first that has the file wins. */
  readonly mounts: readonly StaticMount[];
  /** Memory for small files, of all mounts together. */
  readonly cacheBytesMax: number;
  /** How long a file in memory is served before it is compared with the one on disk; 0 compares at each request. */
  readonly revalidateMs: number;
}

/**
 * Serves the files of directories below paths. Answers GET and HEAD with conditions and ranges, other methods with 405, and what is not
 * there, hidden, not a regular file or outside of its directory with 404. Below the prefix `/`, which is everything, and below mounts
 * that fall through it passes on what it has no file for. What else a mount can do, `StaticMount` says.
 *
 * @throws ViaductError `HEADER_INVALID` for fields of a mount that cannot be sent.
 */
export function staticFiles({ mounts, cacheBytesMax, revalidateMs }: StaticOptions): Handler {
  const prefixes = mounts.map(({ urlPrefix }) => urlPrefix);
  const cache = new FileCache({ bytesMax: cacheBytesMax, revalidateMs });
  const site = new StaticSite(mounts, cache);

  return function staticFiles(request, next) {
    const { path: encoded, method, headers } = request;
    const path = decodePath(encoded);
    if (!isBelow(prefixes, path ?? encoded)) return next(request);
    if (method !== 'GET' && method !== 'HEAD') {
      return site.mayPass(path ?? encoded) ? next(request) : methodNotAllowed();
    }
    const fresh = path === null ? null : cache.fresh(path);
    if (path !== null && fresh !== null) {
      if (fresh.encodings === null) return respondWithFile(fresh, method, headers);
      return site.respondEncoded(request, method, path, fresh);
    }
    return site.find(request, method, path).then((response) => {
      if (response !== null) return response;
      return site.mayPass(path ?? encoded) ? passOn(request, next) : notFound();
    });
  };
}

function isBelow(prefixes: readonly string[], path: string): boolean {
  for (const prefix of prefixes) if (path.startsWith(prefix)) return true;
  return false;
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
