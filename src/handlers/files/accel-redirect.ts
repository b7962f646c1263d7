import { type Handler, type HandlerResult, mapResponse } from '../../http/handler.ts';
import type { Request } from '../../http/message.ts';
import { HAS_CONTROL, Response } from '../../http/response.ts';
import { changeResponse, responseField, responseFields, withoutControls } from '../../http/response-fields.ts';
import { discardBody } from '../../http/semantics/response-content.ts';
import { readAccelTarget } from '../../static/accel-target.ts';
import { SentFiles } from '../../static/sent-files.ts';
import { type Dropped, innerMethod, innerRequest, withoutContentFields } from '../inner-request.ts';

/** Options of `accelRedirect`. */
export interface AccelRedirectOptions {
  /**
   * Answers the paths that only the application can lead to. `request` is the client's request with the method GET or HEAD, without content, and with the path and
   * query of the redirect. `path` is decoded. An unknown path gets 404.
   */
  readonly internal: (request: Request, path: string) => HandlerResult;
  /** Absolute paths of the directories whose files X-Sendfile may name. */
  readonly directories: readonly string[];
  /** Reports a path that an application named but that cannot be sent. */
  readonly report: (message: string, request: Request) => void;
}

/** nginx follows the same number. */
const REDIRECTS_MAX = 10;

/**
 * Lets the application decide who may have a file, and lets the server send it. A response with `X-Accel-Redirect: /path?query` (nginx) is replaced by the response
 * of `internal`, and a response with `X-Sendfile: /absolute/path` (Apache, lighttpd) by a file in `directories`. The client's conditions and ranges apply. The
 * application's status stays if it is not 200, and so do its Content-Type, Content-Disposition, Accept-Ranges, Cache-Control, Expires and Set-Cookie. These two
 * fields and other X-Accel fields never reach the client.
 *
 * Paths with `..` or NUL, missing files, and files outside of the directories, also behind links, get 404. More than 10 redirects in a row get 500.
 */
export function accelRedirect({ internal, directories, report }: AccelRedirectOptions): Handler {
  const files = new SentFiles(directories);
  /** The number of redirects that led to a request. */
  const redirects = new WeakMap<Request, number>();

  function follow(response: Response, request: Request): HandlerResult {
    if ((response.has & HAS_CONTROL) === 0) return response;
    const uri = responseField(response, 'x-accel-redirect');
    const path = responseField(response, 'x-sendfile');
    if (uri === null && path === null) return withoutControls(response);
    discardBody(response.body);
    const result = uri === null ? sendFile(path ?? '', response, request) : redirect(uri, response, request);
    return mapResponse(result, (target) => merge(response, target));
  }

  function redirect(value: string, response: Response, request: Request): HandlerResult {
    const count = (redirects.get(request) ?? 0) + 1;
    if (count > REDIRECTS_MAX) {
      report(`Cannot follow X-Accel-Redirect "${value}": ${REDIRECTS_MAX} redirects came before it`, request);
      return Response.text(500, 'Internal Server Error\n');
    }
    const target = readAccelTarget(value);
    if (target === null) {
      report(
        `Cannot follow X-Accel-Redirect "${value}": it is not a path that starts with a slash and has no ".."`,
        request,
      );
      return notFound();
    }
    const inner = innerRequest(request, target, droppedBy(response));
    redirects.set(inner, count);
    return mapResponse(internal(inner, target.path), (result) => follow(result, inner));
  }

  function sendFile(path: string, response: Response, request: Request): HandlerResult {
    return files
      .respond(path, innerMethod(request), withoutContentFields(request.headers, droppedBy(response)))
      .then((file) => {
        if (file !== null) return file;
        report(`Cannot send "${path}" for X-Sendfile: it is not a file in an allowed directory`, request);
        return notFound();
      });
  }

  return function accelRedirect(request, next) {
    return mapResponse(next(request), (response) => follow(response, request));
  };
}

/** The fields that nginx keeps of a response with X-Accel-Redirect, in addition to Set-Cookie. */
const KEPT = new Set(['content-type', 'content-disposition', 'accept-ranges', 'cache-control', 'expires']);
const KEPT_WITHOUT_CONTENT = new Set(['cache-control', 'expires']);
const NONE: ReadonlySet<string> = new Set();

/** A page for a status other than 200 is sent whole, and so is a file if the application allows no ranges. */
function droppedBy(response: Response): Dropped {
  const isPage = response.status !== 200;
  const wantsNoRanges = isPage || responseField(response, 'accept-ranges')?.toLowerCase() === 'none';
  return { conditions: isPage, ranges: wantsNoRanges };
}

/** `target` with the status and fields that stay of the application's `response`. */
function merge(response: Response, target: Response): Response {
  const names = keptWith(target);
  const fields = responseFields(response);
  const set: string[] = [];
  const add: string[] = [];
  for (let i = 0; i < fields.length; i += 2) {
    const [name, value] = [fields[i] as string, fields[i + 1] as string];
    if (name.toLowerCase() === 'set-cookie') add.push(name, value);
    else if (names.has(name.toLowerCase())) set.push(name, value);
  }
  const status = target.status === 200 && hasContent(response.status) ? response.status : target.status;
  return changeResponse(target, { status, set, add });
}

/** The fields of the application's response that stay. An error keeps none of them. A response of several parts needs its own type, which has their separator. */
function keptWith(target: Response): ReadonlySet<string> {
  if (target.status >= 400) return NONE;
  if (target.status === 304) return KEPT_WITHOUT_CONTENT;
  const isMultipart = responseField(target, 'content-type')?.startsWith('multipart/byteranges') === true;
  return isMultipart ? new Set([...KEPT].filter((name) => name !== 'content-type')) : KEPT;
}

function hasContent(status: number): boolean {
  return status >= 200 && status !== 204 && status !== 206 && status !== 304;
}

function notFound(): Response {
  return Response.text(404, 'Not Found\n');
}
