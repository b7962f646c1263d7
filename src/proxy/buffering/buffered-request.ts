import { Spool } from '../../http/buffering/spool.ts';
import { deriveRequest } from '../../http/derived-request.ts';
import type { HandlerResult } from '../../http/handler.ts';
import type { BodySink, Request, RequestBody } from '../../http/message.ts';
import { clientLeftResponse, contentFailedResponse } from '../client/error-responses.ts';
import { LaterResponse } from '../client/later-response.ts';

/**
 * Receives the content of `request` whole, in memory up to `memoryBytesMax` and then in a file, before `send` gets it, with its length. So a slow upload holds no
 * backend.
 */
export function bufferRequest(
  request: Request,
  memoryBytesMax: number,
  send: (buffered: Request) => HandlerResult,
): HandlerResult {
  const { body } = request;
  return body === null ? send(request) : new Buffering(request, body, memoryBytesMax, send);
}

class Buffering extends LaterResponse {
  constructor(request: Request, body: RequestBody, memoryBytesMax: number, send: (buffered: Request) => HandlerResult) {
    super();
    let over = false;
    const answer = (result: HandlerResult): void => {
      over = true;
      this.settle(result);
    };
    const spool = new Spool(body, { memoryBytesMax, fileBytesMax: Number.MAX_SAFE_INTEGER }, (error) => {
      if (over) return;
      request.onGone = null;
      if (error === null) answer(send(deriveRequest(request, { body: new ReceivedBody(spool, body) })));
      // The front answers what was wrong with the content by itself, after this call; only a handler's own limit leaves it to us.
      else process.nextTick(() => over || answer(contentFailedResponse(error)));
    });
    request.onGone = () => {
      if (over) return;
      spool.cancel();
      answer(clientLeftResponse());
    };
    spool.begin();
  }
}

/** Content that has been received. */
class ReceivedBody implements RequestBody {
  readonly length: number;
  readonly #spool: Spool;
  readonly #received: RequestBody;

  constructor(spool: Spool, received: RequestBody) {
    this.length = spool.length;
    this.#spool = spool;
    this.#received = received;
  }

  get trailers(): RequestBody['trailers'] {
    return this.#received.trailers;
  }

  start(sink: BodySink): void {
    this.#spool.start(sink);
  }

  pause(): void {
    this.#spool.pause();
  }

  resume(): void {
    this.#spool.resume();
  }

  cancel(): void {
    this.#spool.cancel();
  }
}
