import type { UnderlyingSource } from 'node:stream/web';
import { ViaductError } from '../../errors.ts';
import type { HandlerResult } from '../../http/handler.ts';
import type { BodySink, BodySource } from '../../http/message.ts';
import type { Response as Answer } from '../../http/response.ts';
import { discardBody } from '../../http/response-writer.ts';
import type { Application } from '../contract.ts';
import { sourceOf } from './body-of.ts';
import { type FetchInfo, FetchRequest } from './fetch-request.ts';
import { eachField } from './header-pairs.ts';
import { Failure, isBelow, type MountOptions, mountedApplication } from './mounted-application.ts';

/**
 * Makes of an application what fetch frameworks call: a function that answers a `Request` with a `Response`. Its content streams in both directions. The
 * client has gone when `request.signal` aborts or the response's body is cancelled. A request outside `scriptName` is answered with 404.
 *
 * Rejects with the application's error when its response has not begun, so that the framework's error handler answers; after that the body fails.
 */
export function toFetch(
  application: Application,
  options: MountOptions = {},
): (request: Request, info?: FetchInfo) => Promise<Response> {
  const { scriptName = '' } = options;
  const handle = mountedApplication(application, options);
  return async function callApplication(request, info = {}) {
    const incoming = new FetchRequest(request, info, scriptName);
    if (scriptName !== '' && !isBelow(incoming.path, scriptName)) return new Response('Not Found\n', { status: 404 });
    const gone = (): void => {
      const { onGone } = incoming;
      incoming.onGone = null;
      onGone?.();
    };
    request.signal.addEventListener('abort', gone, { once: true });
    try {
      const answer = await settled(handle(incoming));
      if (answer instanceof Failure) throw answer.error;
      return responseOf(answer, request);
    } finally {
      request.signal.removeEventListener('abort', gone);
    }
  };
}

function settled(result: HandlerResult): HandlerResult | Promise<Answer> {
  return 'then' in result ? new Promise<Answer>((resolve, reject) => void result.then(resolve, reject)) : result;
}

function responseOf(answer: Answer, request: Request): Response {
  const { body, status, reason, contentLength } = answer;
  const headers = new Headers();
  eachField(answer.lines, (name, value) => headers.append(name, value));
  try {
    const init = { status, statusText: reason, headers };
    if (body === null || request.method === 'HEAD' || status === 204 || status === 205 || status === 304) {
      discardBody(body);
      return new Response(null, init);
    }
    if (body instanceof Uint8Array && (contentLength < 0 || contentLength === body.length)) {
      headers.set('content-length', `${body.length}`);
      return new Response(new Uint8Array(body), init);
    }
    const source = body instanceof Uint8Array ? oneBlock(body) : sourceOf(body);
    return new Response(new ReadableStream(new FetchBody(source, contentLength, request.signal)), init);
  } catch (error) {
    discardBody(body);
    throw error;
  }
}

/** What a source pushes, as content that is pulled. Holds a block or two, and asks for no more until these are read. */
class FetchBody implements UnderlyingSource<Uint8Array>, BodySink {
  readonly #source: BodySource;
  readonly #signal: AbortSignal;
  /** Bytes of a declared length still to come; -1 without one. */
  #left: number;
  #controller: ReadableStreamDefaultController<Uint8Array> | null = null;
  #state: 'new' | 'flowing' | 'paused' | 'over' = 'new';

  constructor(source: BodySource, contentLength: number, signal: AbortSignal) {
    this.#source = source;
    this.#left = contentLength;
    this.#signal = signal;
  }

  start(controller: ReadableStreamDefaultController<Uint8Array>): void {
    this.#controller = controller;
    this.#signal.addEventListener('abort', this.#aborted, { once: true });
    if (this.#signal.aborted) this.#aborted();
  }

  pull(): void {
    if (this.#state === 'new') {
      this.#state = 'flowing';
      this.#source.start(this);
    } else if (this.#state === 'paused') {
      this.#state = 'flowing';
      this.#source.resume();
    }
  }

  cancel(): void {
    if (this.#finish()) this.#source.cancel();
  }

  write(block: Uint8Array): void {
    if (this.#state === 'over' || block.length === 0) return;
    const excess = this.#left >= 0 && block.length > this.#left;
    const part = excess ? block.subarray(0, this.#left) : block;
    if (this.#left >= 0) this.#left -= part.length;
    if (part.length > 0) this.#controller?.enqueue(part);
    if (excess) {
      this.cancel();
      this.#controller?.close();
    } else if ((this.#controller?.desiredSize ?? 0) <= 0 && this.#state === 'flowing') {
      this.#state = 'paused';
      this.#source.pause();
    }
  }

  end(): void {
    if (this.#left > 0) {
      const message = `Cannot complete a response: ${this.#left} bytes of its Content-Length are missing`;
      this.fail(new ViaductError('RESPONSE_INVALID', message));
    } else if (this.#finish()) this.#controller?.close();
  }

  fail(error: Error): void {
    if (this.#finish()) this.#controller?.error(error);
  }

  readonly #aborted = (): void => {
    if (!this.#finish()) return;
    this.#source.cancel();
    this.#controller?.error(this.#signal.reason);
  };

  /** Returns whether it was not over. */
  #finish(): boolean {
    if (this.#state === 'over') return false;
    this.#state = 'over';
    this.#signal.removeEventListener('abort', this.#aborted);
    return true;
  }
}

function oneBlock(block: Uint8Array): BodySource {
  return {
    start(sink) {
      sink.write(block);
      sink.end();
    },
    pause() {},
    resume() {},
    cancel() {},
  };
}
