import type { Handler } from '../../http/handler.ts';
import { Response } from '../../http/response.ts';
import { FileCache } from '../files/file-cache.ts';
import { respondWithFile } from '../files/file-response.ts';
import { relativePath } from '../files/path.ts';

export interface StaticOptions {
  /** Where the files appear: begins and ends with a slash. */
  readonly urlPrefix: string;
  /** Absolute directories; the first that has the file wins. */
  readonly directories: readonly string[];
  /** Memory for small files. */
  readonly cacheBytesMax: number;
}

/**
 * Serves the files of directories below a path. Answers GET and HEAD with conditions and ranges; other methods with 405, and what
 * is not there, hidden, not a regular file or outside of the directory with 404.
 */
export function staticFiles(options: StaticOptions): Handler {
  const { urlPrefix } = options;
  const cache = new FileCache(options.directories, options.cacheBytesMax);
  return function staticFiles(request, next) {
    const { path, method } = request;
    if (!path.startsWith(urlPrefix)) return next(request);
    if (method !== 'GET' && method !== 'HEAD') return methodNotAllowed();
    const fresh = cache.fresh(path);
    if (fresh !== null) return respondWithFile(fresh, request);
    const relative = relativePath(path.slice(urlPrefix.length));
    if (relative === null) return notFound();
    return cache.load(path, relative).then((file) => (file === null ? notFound() : respondWithFile(file, request)));
  };
}

function notFound(): Response {
  return Response.text(404, 'Not Found\n');
}

function methodNotAllowed(): Response {
  return Response.text(405, 'Method Not Allowed\n', ['Allow', 'GET, HEAD']);
}
