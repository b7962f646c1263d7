import { deriveRequest } from '../../http/derived-request.ts';
import type { Handler, HandlerResult } from '../../http/handler.ts';
import type { BodySink, HeaderList, Request, RequestBody } from '../../http/message.ts';
import { RequestBodyError } from '../../http/refusal.ts';
import { refuse } from '../../http/request-record.ts';
import { Response } from '../../http/response.ts';
import { discardBody } from '../../http/semantics/response-content.ts';
import { describeFeature } from '../feature.ts';

/** Options of `bodyLimit`. */
export interface BodyLimitOptions {
  /** Bytes of a request's content. 0 refuses all content. The connection's own limit must not be smaller. */
  readonly bodyBytesMax: number;
}

/**
 * Limits the content of requests. A request with too large a Content-Length gets 413 (RFC 9110 section 15.5.14) at once, before the client is asked for the
 * content. Chunked content gets 413 as soon as it is too long, unless the response has come before.
 */
export function bodyLimit({ bodyBytesMax }: BodyLimitOptions): Handler {
  return function bodyLimit(request, next) {
    const { body } = request;
    if (body === null) return next(request);
    if (body.length > bodyBytesMax) return tooLarge(request);
    if (body.length >= 0) return next(request);
    return answerWithin(request, body, bodyBytesMax, next);
  };
}

/** `body_bytes_max` in a route; for the whole site it is a setting. */
export const bodyLimitFeature = describeFeature({
  key: 'body_bytes_max',
  scope: 'route',
  description: 'Limits the content (the body) of requests; then 413. Without it, the setting body_bytes_max applies.',
  page: 'limits.md#content',
  schema: ({ bytes }) => bytes(0),
  create: (bodyBytesMax) => bodyLimit({ bodyBytesMax }),
});

function tooLarge(request: Request): Response {
  return refuse(request, 'content too large', Response.text(413, 'Content Too Large\n'));
}

/** The response of `next`, or 413 if the content gets too long before it. */
function answerWithin(
  request: Request,
  body: RequestBody,
  bytesMax: number,
  next: (request: Request) => HandlerResult,
): HandlerResult {
  let refused = false;
  let answer: ((response: Response) => unknown) | null = null;
  const limited = new LimitedBody(body, bytesMax, () => {
    refused = true;
    answer?.(tooLarge(request));
    answer = null;
  });
  limited.onFailed = () => {
    const { onGone } = request;
    request.onGone = null;
    onGone?.(); // nobody waits for the response of the next handlers any more
  };
  const result = next(deriveRequest(request, { body: limited }));
  if (result instanceof Response) {
    if (!refused) return result;
    discardBody(result.body);
    return tooLarge(request);
  }
  return {
    // biome-ignore lint/suspicious/noThenProperty: a result that comes later is awaited by its `then`
    then(onValue, onError) {
      if (refused) onValue(tooLarge(request));
      else answer = onValue;
      result.then(
        (response) => {
          if (refused) {
            discardBody(response.body);
            return;
          }
          answer = null;
          onValue(response);
        },
        (error) => {
          if (!refused) onError(error);
        },
      );
    },
  };
}

/** Content that fails when it is longer than allowed. */
class LimitedBody implements RequestBody, BodySink {
  readonly #body: RequestBody;
  readonly #onExceeded: () => void;
  /** Called when the receiver knows that the content has failed. */
  onFailed: () => void = () => {};
  #bytesLeft: number;
  #sink: BodySink | null = null;

  constructor(body: RequestBody, bytesMax: number, onExceeded: () => void) {
    this.#body = body;
    this.#bytesLeft = bytesMax;
    this.#onExceeded = onExceeded;
  }

  get length(): number {
    return this.#body.length;
  }

  get trailers(): HeaderList {
    return this.#body.trailers;
  }

  start(sink: BodySink): void {
    this.#sink = sink;
    this.#body.start(this);
  }

  pause(): void {
    this.#body.pause();
  }

  resume(): void {
    this.#body.resume();
  }

  cancel(): void {
    this.#sink = null;
    this.#body.cancel();
  }

  write(block: Uint8Array): void {
    const sink = this.#sink;
    if (sink === null) return;
    this.#bytesLeft -= block.length;
    if (this.#bytesLeft >= 0) {
      sink.write(block);
      return;
    }
    this.#sink = null;
    this.#body.cancel();
    this.#onExceeded();
    sink.fail(new RequestBodyError(413, 'the content is too large'));
    this.onFailed();
  }

  end(): void {
    this.#sink?.end();
  }

  fail(error: Error): void {
    this.#sink?.fail(error);
  }
}
