import type { Handler, Next } from '../../http/handler.ts';
import type { Request } from '../../http/message.ts';
import { Response } from '../../http/response.ts';
import { FileCache } from '../../static/file-cache.ts';
import { respondWithFile } from '../../static/file-response.ts';
import type { FileSource } from '../../static/file-source.ts';
import type { StaticMount } from '../../static/mount.ts';
import { decodePath } from '../../static/path.ts';
import { StaticSite } from '../../static/static-site.ts';

/** Options of `staticFiles`. */
export interface StaticOptions {
  /** Mounts in order: the first mount that has the file wins. */
  readonly mounts: readonly StaticMount[];
  /** Bytes of memory for small files of all mounts together. */
  readonly cacheBytesMax: number;
  /** Milliseconds for which a file in memory is served before it is compared with the file on disk. 0: compare at each request. */
  readonly revalidateMs: number;
}

/**
 * Serves the files of directories below URL prefixes. Answers GET and HEAD with conditions and ranges, and other methods with 405. Files that are missing, hidden,
 * not regular or outside of their directory get 404. Below the prefix `/`, and below mounts that fall through, a request without a file is passed on. `StaticMount`
 * has the other options.
 *
 * @throws ViaductError `HEADER_INVALID` for fields of a mount that cannot be sent
 */
export function staticFiles({ mounts, cacheBytesMax, revalidateMs }: StaticOptions): Handler {
  return filesFrom(new FileCache({ bytesMax: cacheBytesMax, revalidateMs }), mounts);
}

/** `staticFiles` with files of another source than the disk. */
export function filesFrom(files: FileSource, mounts: readonly StaticMount[]): Handler {
  const prefixes = mounts.map(({ urlPrefix }) => urlPrefix);
  const site = new StaticSite(mounts, files);
  const { roots } = site;

  return function staticFiles(request, next) {
    const { path: encoded, method, headers } = request;
    const path = decodePath(encoded);
    if (!isBelow(prefixes, path ?? encoded) && !(roots.size > 0 && roots.has(path ?? encoded))) return next(request);
    if (method !== 'GET' && method !== 'HEAD') {
      return site.mayPass(path ?? encoded) ? next(request) : methodNotAllowed();
    }
    const fresh = path === null ? null : files.fresh(path);
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
