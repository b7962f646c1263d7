import { deriveRequest } from '../../http/derived-request.ts';
import { after, type Handler, type HandlerResult } from '../../http/handler.ts';
import { discardBody } from '../../http/http1/response-writer.ts';
import type { HeaderList, Request } from '../../http/message.ts';
import { Response } from '../../http/response.ts';
import { changeResponse, responseField, responseFields } from '../../http/response-fields.ts';
import { type AccelTarget, readAccelTarget } from '../../static/accel-target.ts';
import { SentFiles } from '../../static/sent-files.ts';

export interface AccelRedirectOptions {
  /**
   * Answers the paths that only the application can lead to. `request` is the client's with the method GET or HEAD, the path and query
   * of the redirect and no content; `path` is decoded. A path that it does not know it answers with 404.
   */
  readonly internal: (request: Request, path: string) => HandlerResult;
  /** Absolute directories whose files X-Sendfile may name; none allows none. */
  readonly directories: readonly string[];
  /** Told what an application asked for in vain. */
  readonly report: (message: string, request: Request) => void;
}

/** As many as nginx follows. */
const REDIRECTS_MAX = 10;

/**
 * Lets the application behind it decide who may have a file, and the front send it: a response with `X-Accel-Redirect: /path?query`
 * (nginx) is answered by `internal`, one with `X-Sendfile: /absolute/path` (Apache, lighttpd) by a file below `directories`, both
 * with the client's conditions and ranges. Of the application's response remain its status, when it is not 200, and its Content-Type,
 * Content-Disposition, Accept-Ranges, Cache-Control, Expires and Set-Cookie. These and other X-Accel fields never reach the client.
 *
 * Paths with `..` or NUL, files that lie outside, also behind links, and what is not there are answered with 404; more than 10
 * redirects in a row with 500.
 */
export function accelRedirect({ internal, directories, report }: AccelRedirectOptions): Handler {
  const files = new SentFiles(directories);
  /** Redirects that led to a request. */
  const redirects = new WeakMap<Request, number>();

  function follow(response: Response, request: Request): HandlerResult {
    if (!MARK.test(response.lines)) return response;
    const target = responseField(response, 'x-accel-redirect');
    const path = responseField(response, 'x-sendfile');
    if (target === null && path === null) return changeResponse(response, { remove: CONTROLS });
    discardBody(response.body);
    const result = target === null ? sendFile(path ?? '', response, request) : redirect(target, response, request);
    return after(result, (found) => merge(response, found));
  }

  function redirect(value: string, response: Response, request: Request): HandlerResult {
    const count = (redirects.get(request) ?? 0) + 1;
    if (count > REDIRECTS_MAX) {
      report(`Cannot follow X-Accel-Redirect "${value}": there were ${REDIRECTS_MAX} before it`, request);
      return Response.text(500, 'Internal Server Error\n');
    }
    const target = readAccelTarget(value);
    if (target === null) {
      report(
        `Cannot follow X-Accel-Redirect "${value}": it is no path that begins with a slash and stays below it`,
        request,
      );
      return notFound();
    }
    const inner = innerRequest(request, response, target);
    redirects.set(inner, count);
    return after(internal(inner, target.path), (found) => follow(found, inner));
  }

  function sendFile(path: string, response: Response, request: Request): HandlerResult {
    return files.respond(path, methodOf(request), innerHeaders(request, response)).then((found) => {
      if (found !== null) return found;
      report(`Cannot send "${path}" for X-Sendfile: it is no file below an allowed directory`, request);
      return notFound();
    });
  }

  return function accelRedirect(request, next) {
    return after(next(request), (response) => follow(response, request));
  };
}

const MARK = /^x-(?:accel-|sendfile:)/im;
const CONTROLS = [
  'X-Accel-Redirect',
  'X-Sendfile',
  'X-Accel-Buffering',
  'X-Accel-Charset',
  'X-Accel-Expires',
  'X-Accel-Limit-Rate',
];
/** What nginx keeps of a response with X-Accel-Redirect, besides Set-Cookie. */
const KEPT = new Set(['content-type', 'content-disposition', 'accept-ranges', 'cache-control', 'expires']);
const KEPT_WITHOUT_CONTENT = new Set(['cache-control', 'expires']);
const NONE: ReadonlySet<string> = new Set();
const CONTENT_FIELDS = new Set(['content-length', 'transfer-encoding', 'expect', 'trailer']);
const CONDITIONS = new Set(['if-match', 'if-none-match', 'if-modified-since', 'if-unmodified-since']);
const RANGES = new Set(['range', 'if-range']);

function innerRequest(request: Request, response: Response, target: AccelTarget): Request {
  const { encodedPath: path, query } = target;
  const headers = innerHeaders(request, response);
  return deriveRequest(request, { method: methodOf(request), path, query, headers, scriptName: '', body: null });
}

function methodOf({ method }: Request): 'GET' | 'HEAD' {
  return method === 'HEAD' ? 'HEAD' : 'GET';
}

/** A page for another status than 200 is sent whole, and so is what the application allows no ranges of. */
function innerHeaders({ headers }: Request, response: Response): HeaderList {
  const isPage = response.status !== 200;
  const wantsNoRanges = isPage || responseField(response, 'accept-ranges')?.toLowerCase() === 'none';
  return headers.filter((_, i) => {
    const name = (headers[i - (i % 2)] as string).toLowerCase();
    if (CONTENT_FIELDS.has(name)) return false;
    return !(isPage && CONDITIONS.has(name)) && !(wantsNoRanges && RANGES.has(name));
  });
}

/** `found` with what remains of the application's `response`. */
function merge(response: Response, found: Response): Response {
  const names = keptWith(found);
  const fields = responseFields(response);
  const set: string[] = [];
  const add: string[] = [];
  for (let i = 0; i < fields.length; i += 2) {
    const [name, value] = [fields[i] as string, fields[i + 1] as string];
    if (name.toLowerCase() === 'set-cookie') add.push(name, value);
    else if (names.has(name.toLowerCase())) set.push(name, value);
  }
  const status = found.status === 200 && hasContent(response.status) ? response.status : found.status;
  return changeResponse(found, { status, set, add });
}

/** Of a failure and of 304 only what fits it. The type of several parts is what separates them. */
function keptWith(found: Response): ReadonlySet<string> {
  if (found.status >= 400) return NONE;
  if (found.status === 304) return KEPT_WITHOUT_CONTENT;
  const isMultipart = responseField(found, 'content-type')?.startsWith('multipart/byteranges') === true;
  return isMultipart ? new Set([...KEPT].filter((name) => name !== 'content-type')) : KEPT;
}

function hasContent(status: number): boolean {
  return status >= 200 && status !== 204 && status !== 206 && status !== 304;
}

function notFound(): Response {
  return Response.text(404, 'Not Found\n');
}
