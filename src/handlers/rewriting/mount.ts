import { deriveRequest } from '../../http/derived-request.ts';
import type { Handler } from '../../http/handler.ts';
import { Response } from '../../http/response.ts';
import { PathPrefix } from '../../routing/path-prefix.ts';

/** Options of `mount`. */
export interface MountOptions {
  /** The prefix of the application, not percent-encoded: `/app`. A final slash makes no difference. */
  readonly prefix: string;
}

/**
 * Puts an application below a prefix. The application receives the prefix as SCRIPT_NAME and uses it in its links. Requests for the prefix and for paths below it
 * are passed on, all others get 404. Slashes of the prefix may be repeated or encoded; then the whole path arrives with plain slashes. Inside another mount, the
 * prefix starts where the prefix of the other mount ends.
 *
 * @throws ViaductError `SETTINGS` for a prefix that is not a path
 */
export function mount({ prefix: path }: MountOptions): Handler {
  const prefix = new PathPrefix(path, 'mount prefix');

  return function mount(request, next) {
    const mounted = prefix.mountIn(request);
    if (mounted === null) return Response.text(404, 'Not Found\n');
    return next(mounted.scriptName === request.scriptName ? request : deriveRequest(request, mounted));
  };
}
