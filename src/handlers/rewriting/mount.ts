import { deriveRequest } from '../../http/derived-request.ts';
import type { Handler } from '../../http/handler.ts';
import { Response } from '../../http/response.ts';
import { PathPrefix } from '../../routing/path-prefix.ts';

export interface MountOptions {
  /** Where the application lives, not percent-encoded: `/app` (a final slash makes no difference). */
  readonly prefix: string;
}

/**
 * Puts those behind it below a prefix: the application sees it as SCRIPT_NAME and makes its links with it. The prefix alone and all below it
 * are passed on, anything else is answered with 404. Within another mount the prefix begins where that ends.
 *
 * @throws ViaductError `SETTINGS` for a prefix that is no path.
 */
export function mount({ prefix: path }: MountOptions): Handler {
  const prefix = new PathPrefix(path, 'mount prefix');

  return function mount(request, next) {
    const outer = request.scriptName.length;
    const length = prefix.lengthIn(request.path.slice(outer));
    if (length < 0) return Response.text(404, 'Not Found\n');
    if (length === 0) return next(request);
    return next(deriveRequest(request, { scriptName: request.path.slice(0, outer + length) }));
  };
}
