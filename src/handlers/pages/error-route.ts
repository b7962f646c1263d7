import { deriveRequest } from '../../http/derived-request.ts';
import { type HandlerResult, mapResponse } from '../../http/handler.ts';
import type { BodySink, HeaderList, Request, RequestBody, RequestRecord } from '../../http/message.ts';
import { isNoResponse } from '../../http/no-response.ts';
import type { Response } from '../../http/response.ts';
import { changeResponse, responseFields } from '../../http/response-fields.ts';
import { discardBody } from '../../http/semantics/response-content.ts';
import { isBare } from './bare-error.ts';
import { CONTENT_FIELDS } from './content-fields.ts';

/** A route that answers an error. */
export interface ErrorRoute {
  /** Answers with the route; null if there is none. A path gets a GET or HEAD without content, a name the request as it is. */
  readonly answer: (request: Request, isWhole: boolean) => HandlerResult | null;
  /** Whether the route gets the content of the request. */
  readonly takesContent: boolean;
  /** The status of the response; null for that of the error, `route` for that of the route's response. */
  readonly status: number | 'route' | null;
}

/** Requests whose error a route has answered. As with nginx, an error of this route does not lead to another route. */
const answered = new WeakSet<RequestRecord>();

/**
 * The response of `route` in place of the error `response`. The error stays if the request was already led to a route, if
 * `route` needs content that another handler took, and if `route` has nothing but an error of this server itself.
 */
export function answerByRoute(request: Request, response: Response, route: ErrorRoute): HandlerResult {
  const { record, body } = request;
  if (answered.has(record) || (route.takesContent && body instanceof WatchedContent && body.isStarted)) return response;
  answered.add(record);
  const result = route.answer(request, route.status !== 'route');
  if (result === null) return response;
  return mapResponse(result, (other) => {
    if (route.status !== 'route' && other.status >= 400 && isBare(request, other)) {
      discardBody(other.body);
      return response;
    }
    discardBody(response.body);
    return merged(response, other, route.status);
  });
}

/** `other` with the status that the route has, and, if that is the status of the error, with the fields of the error that are not about its content. */
function merged(error: Response, other: Response, status: ErrorRoute['status']): Response {
  const isRedirect = other.status >= 300 && other.status < 400;
  if (status === 'route' || isRedirect || isNoResponse(other)) return other;
  if (status !== null) return changeResponse(other, { status });
  return changeResponse(other, { status: error.status, add: keptFields(error, other) });
}

function keptFields(error: Response, other: Response): HeaderList {
  const names = new Set(
    responseFields(other)
      .filter((_, i) => i % 2 === 0)
      .map((name) => name.toLowerCase()),
  );
  for (const name of ['content-type', ...CONTENT_FIELDS]) names.add(name.toLowerCase());
  names.delete('set-cookie');
  const fields = responseFields(error);
  return fields.filter((_, i) => !names.has((fields[i - (i % 2)] as string).toLowerCase()));
}

/** `request` whose content says whether somebody took it. */
export function watchContent(request: Request): Request {
  const { body } = request;
  return body === null ? request : deriveRequest(request, { body: new WatchedContent(body) });
}

class WatchedContent implements RequestBody {
  isStarted = false;
  readonly length: number;
  readonly #body: RequestBody;

  constructor(body: RequestBody) {
    this.length = body.length;
    this.#body = body;
  }

  get trailers(): HeaderList {
    return this.#body.trailers;
  }

  start(sink: BodySink): void {
    this.isStarted = true;
    this.#body.start(sink);
  }

  pause(): void {
    this.#body.pause();
  }

  resume(): void {
    this.#body.resume();
  }

  cancel(): void {
    this.isStarted = true;
    this.#body.cancel();
  }
}
