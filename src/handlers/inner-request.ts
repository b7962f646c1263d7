import { deriveRequest } from '../http/derived-request.ts';
import type { HeaderList, Request } from '../http/message.ts';
import type { AccelTarget } from '../static/accel-target.ts';

const CONTENT_FIELDS: ReadonlySet<string> = new Set(['content-length', 'transfer-encoding', 'expect', 'trailer']);
const CONDITIONS: ReadonlySet<string> = new Set([
  'if-match',
  'if-none-match',
  'if-modified-since',
  'if-unmodified-since',
]);
const RANGES: ReadonlySet<string> = new Set(['range', 'if-range']);

/** What of a client's request does not apply to the resource that another path leads to. */
export interface Dropped {
  readonly conditions: boolean;
  readonly ranges: boolean;
}

/** The request for `target` in place of the client's: GET or HEAD, without content. */
export function innerRequest(request: Request, target: AccelTarget, dropped: Dropped): Request {
  const { encodedPath: path, query } = target;
  const headers = withoutContentFields(request.headers, dropped);
  return deriveRequest(request, { method: innerMethod(request), path, query, headers, scriptName: '', body: null });
}

/** `request` without its conditions and ranges. */
export function wholeRequest(request: Request): Request {
  return deriveRequest(request, { headers: without(request.headers, (name) => isAbout(name, WHOLE)) });
}

export function innerMethod({ method }: Request): 'GET' | 'HEAD' {
  return method === 'HEAD' ? 'HEAD' : 'GET';
}

/** `headers` for a request without content. */
export function withoutContentFields(headers: HeaderList, dropped: Dropped): HeaderList {
  return without(headers, (name) => CONTENT_FIELDS.has(name) || isAbout(name, dropped));
}

const WHOLE: Dropped = { conditions: true, ranges: true };

function isAbout(name: string, { conditions, ranges }: Dropped): boolean {
  return (conditions && CONDITIONS.has(name)) || (ranges && RANGES.has(name));
}

function without(headers: HeaderList, drops: (name: string) => boolean): string[] {
  return headers.filter((_, i) => !drops((headers[i - (i % 2)] as string).toLowerCase()));
}
