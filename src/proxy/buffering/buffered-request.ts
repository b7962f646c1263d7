import { Spool } from '../../http/buffering/spool.ts';
import { deriveRequest } from '../../http/derived-request.ts';
import type { HandlerResult } from '../../http/handler.ts';
import type { BodySink, HeaderList, Request, RequestBody } from '../../http/message.ts';
import { RequestBodyError } from '../../http/refusal.ts';
import { clientClosedResponse, contentFailedResponse, contentLostResponse } from '../client/error-responses.ts';
import { LaterResponse } from '../client/later-response.ts';

export interface RequestBufferOptions {
  /** Content up to this size stays in memory; other content goes to a file. */
  readonly memoryBytesMax: number;
  /** The content cannot be stored or read before it is complete. The client gets 500. */
  readonly onFailed: (error: Error, request: Request) => void;
}

/**
 * Receives all content of `request` before it calls `send` with a request of known length. A slow upload therefore does not occupy a
 * backend.
 */
export function bufferRequest(
  request: Request,
  options: RequestBufferOptions,
  send: (buffered: Request) => HandlerResult,
): HandlerResult {
  const { body } = request;
  if (body === null) return send(request);
  const buffering = new Buffering(request, body, options, send);
  body.start(buffering);
  return buffering;
}

class Buffering extends LaterResponse implements BodySink {
  readonly #request: Request;
  readonly #options: RequestBufferOptions;
  readonly #send: (buffered: Request) => HandlerResult;
  readonly #spool: Spool;
  #length = 0;
  #over = false;

  constructor(
    request: Request,
    body: RequestBody,
    options: RequestBufferOptions,
    send: (buffered: Request) => HandlerResult,
  ) {
    super();
    this.#request = request;
    this.#options = options;
    this.#send = send;
    this.#spool = new Spool(body, {
      memoryBytesMax: options.memoryBytesMax,
      bytesMax: Number.POSITIVE_INFINITY,
      onFileFailed: (error) => this.#storeFailed(error),
    });
    request.onGone = () => {
      this.#spool.cancel();
      this.#answer(clientClosedResponse());
    };
  }

  write(block: Uint8Array): void {
    this.#length += block.length;
    this.#spool.write(Buffer.from(block));
  }

  end(): void {
    if (this.#over) return;
    this.#request.onGone = null;
    this.#spool.end();
    this.#answer(this.#send(deriveRequest(this.#request, { body: new ReceivedBody(this.#spool, this.#length) })));
  }

  /**
   * The server answers malformed content itself, after this call. Only for a limit of a handler, and for an error of the server, must the
   * proxy answer.
   */
  fail(error: Error): void {
    if (this.#over) return;
    this.#request.onGone = null;
    if (!(error instanceof RequestBodyError)) this.#options.onFailed(error, this.#request);
    this.#spool.cancel();
    process.nextTick(() => this.#answer(contentFailedResponse(error)));
  }

  /** Content that is complete is in memory, as far as it is not in the file. */
  #storeFailed(error: Error): void {
    if (this.#over) return;
    this.#request.onGone = null;
    this.#options.onFailed(error, this.#request);
    this.#spool.cancel();
    this.#answer(contentLostResponse());
  }

  #answer(result: HandlerResult): void {
    if (this.#over) return;
    this.#over = true;
    this.resolve(result);
  }
}

/** Content that was received completely. */
class ReceivedBody implements RequestBody {
  readonly length: number;
  readonly #spool: Spool;

  constructor(spool: Spool, length: number) {
    this.#spool = spool;
    this.length = length;
  }

  get trailers(): HeaderList {
    return this.#spool.trailers;
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
