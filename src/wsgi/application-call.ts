import { setImmediate as nextTurn } from 'node:timers/promises';
import { asError } from '../errors.ts';
import type { HandlerResult } from '../http/handler.ts';
import type { ResponseBody as HttpBody, Later, Request } from '../http/message.ts';
import { RequestBodyError } from '../http/refusal.ts';
import { type EncodedHeaders, Response } from '../http/response.ts';
import { EARLY_HINTS } from '../http/semantics/status.ts';
import type { ApplicationOptions } from './application-options.ts';
import type { Application, Client, Environ, Header, ResponseBody, Write } from './contract.ts';
import { checkBlock, contractError, describe, isBody, isPromise } from './contract-errors.ts';
import type { Section } from './environ-builder.ts';
import { FileBlocks } from './file-wrapper.ts';
import { iterate } from './iterate.ts';
import { placeOf } from './notices.ts';
import { PassedBody } from './passed-body.ts';
import { encodeEarlyHints, encodeResponseHeaders } from './response-headers.ts';
import { ResponseStream } from './response-stream.ts';
import { parseStatus, type Status } from './status.ts';

const NO_STATUS: Status = { code: 200, reason: '' };
const NO_HEADERS: EncodedHeaders = { lines: '', contentLength: -1, has: 0 };
const READY = Promise.resolve();

/** The response is over, but the application writes on. */
class WriteRefusedError extends Error {
  override readonly name = 'AbortError';

  constructor() {
    super('The client has left, or the response is complete');
  }
}

/** A promise that rejects. An application that does not await it need not know. */
function refuseWrite(): Promise<void> {
  const refused = nextTurn().then(() => {
    throw new WriteRefusedError();
  });
  refused.catch(() => {});
  return refused;
}

/**
 * One call of an application (PEP 3333). Its phases: `new`, `started` after `start_response`, `streaming` while content is sent, `over` after the end of the
 * response. It is also the promise of the response, and the client as the application sees it.
 */
export class ApplicationCall implements Later<Response>, Client {
  readonly request: Request;
  /** The section that the environ was made from, to find out whether it was changed; null if the environ was not made here. */
  readonly #section: Section | null;
  readonly #server: Pick<ApplicationOptions, 'onError' | 'onNotice' | 'errorResponse'>;
  #phase: 'new' | 'started' | 'streaming' | 'over' = 'new';
  #status = NO_STATUS;
  #headers = NO_HEADERS;
  #sent = 0;
  #stream: ResponseStream | null = null;
  /** Ends the iteration of the content. */
  #stop: (() => void) | null = null;
  #controller: AbortController | null = null;
  #response: Response | null = null;
  #onResponse: ((response: Response) => unknown) | null = null;

  constructor(
    request: Request,
    section: Section | null,
    server: Pick<ApplicationOptions, 'onError' | 'onNotice' | 'errorResponse'>,
  ) {
    this.request = request;
    this.#section = section;
    this.#server = server;
  }

  /** Calls `application`. Returns the response if the application answers at once, otherwise this call. */
  run(application: Application, environ: Environ): HandlerResult {
    try {
      const result = application(environ, this.startResponse);
      if (isPromise(result))
        result.then(
          (body) => this.#respond(body),
          (error: unknown) => this.fail(error),
        );
      else this.#respond(result);
    } catch (error) {
      this.fail(error);
    }
    return this.#response ?? this;
  }

  // biome-ignore lint/suspicious/noThenProperty: a result that comes later is awaited by its `then`
  then(onResponse: (response: Response) => unknown, _onError: (error: unknown) => unknown): void {
    if (this.#response === null) this.#onResponse = onResponse;
    else onResponse(this.#response);
  }

  // The client, as the application sees it.

  get gone(): boolean {
    return this.request.gone;
  }

  get signal(): AbortSignal {
    if (this.#controller === null) {
      const controller = new AbortController();
      const { request } = this;
      const before = request.onGone;
      this.#controller = controller;
      if (request.gone) controller.abort();
      else
        request.onGone = () => {
          before?.();
          controller.abort();
        };
    }
    return this.#controller.signal;
  }

  // For a Python application at the end of the chain.

  /** Whether something waits for the client to leave. */
  get isWatched(): boolean {
    return this.#controller !== null;
  }

  /** Whether `environ` is as the application received it, and nothing of its content was read. */
  isUnchanged(environ: Environ): boolean {
    return this.#section?.isUnchanged(environ, this.request, this, this.earlyHints) === true;
  }

  // The two callables of the contract, and early hints.

  readonly startResponse = (status: string, headers: readonly Header[], excInfo?: unknown): Write => {
    if (excInfo !== undefined && excInfo !== null) {
      if (this.#phase === 'streaming' || this.#phase === 'over') throw excInfo;
    } else if (this.#phase !== 'new') throw contractError('start_response was called a second time without excInfo');
    this.#status = parseStatus(status);
    this.#headers = encodeResponseHeaders(headers, this);
    this.#phase = 'started';
    return this.#write;
  };

  /** Does what `startResponse` does, for a response of the server whose head was checked already. Its fields need not become a list. */
  begin(response: Response): void {
    if (this.#phase !== 'new') throw contractError('start_response was called a second time without excInfo');
    this.#status = { code: response.status, reason: response.reason };
    this.#headers = response;
    this.#phase = 'started';
  }

  /**
   * Throws at once, so that an application that does not await the promise also gets the error. Each promise takes a turn of the event loop,
   * because an application may do nothing but write.
   */
  readonly #write = (block: Uint8Array): Promise<void> => {
    checkBlock(block);
    if (this.#phase === 'over' || this.request.gone) return refuseWrite();
    if (block.length === 0 || !this.send(block)) return nextTurn();
    return this.#stream?.ready() ?? nextTurn();
  };

  readonly earlyHints = (headers: readonly Header[]): void => {
    const lines = encodeEarlyHints(headers, this);
    if (lines !== '' && this.#phase !== 'streaming' && this.#phase !== 'over')
      this.request.sendInterim(EARLY_HINTS, lines);
  };

  // The body that the application returned.

  #respond(body: ResponseBody): void {
    try {
      if (Array.isArray(body)) this.#sendArray(body);
      else if (body instanceof PassedBody && this.#phase === 'started' && body.isWhole) this.#sendPassed(body);
      else if (body instanceof FileBlocks && this.#phase === 'started' && !this.#isBodyless) void this.#sendFile(body);
      else this.#iterate(body);
    } catch (error) {
      this.fail(error);
    }
  }

  /** Sends the blocks of an array in one piece. */
  #sendArray(blocks: readonly Uint8Array[]): void {
    try {
      for (let i = 0; i < blocks.length; i += 1) checkBlock(blocks[i]);
      if (this.#phase === 'started')
        this.#complete(blocks.length === 1 ? (blocks[0] as Uint8Array) : Buffer.concat(blocks));
      else {
        for (const block of blocks) if (block.length > 0) this.send(block);
        this.finish();
      }
    } catch (error) {
      this.fail(error);
    }
    if ('close' in blocks) this.close(blocks as ResponseBody);
  }

  #sendPassed(body: PassedBody): void {
    if (this.#isBodyless) {
      this.#complete(null);
      this.close(body);
      return;
    }
    this.#answer('over', body.take());
  }

  async #sendFile(body: FileBlocks): Promise<void> {
    try {
      const file = await body.file.stat();
      if (!file.isFile()) {
        this.#iterate(body);
        return;
      }
      const { contentLength } = this.#headers;
      const end = contentLength < 0 ? file.size : Math.min(contentLength, file.size);
      const release = (): void => this.close(body);
      this.#answer('over', { fd: body.file.fd, start: 0, end, release });
    } catch (error) {
      this.fail(error);
      this.close(body);
    }
  }

  #iterate(body: ResponseBody): void {
    if (body instanceof Uint8Array) {
      this.notice('the application returned bytes, not an iterable of blocks: they are sent as one block');
      this.#sendArray([body]);
      return;
    }
    if (!isBody(body)) {
      this.fail(contractError(`the application returned ${describe(body)}, and not an iterable of blocks of bytes`));
      return;
    }
    if (this.request.gone) {
      this.#abandon();
      this.close(body);
      return;
    }
    this.#stop = iterate(body, this);
    if (this.#response === null) this.#watchClient();
  }

  /** Ends the iteration if the client leaves before the first block. After the first block, the response is cancelled instead. */
  #watchClient(): void {
    const { request } = this;
    const before = request.onGone;
    request.onGone = () => {
      before?.();
      if (this.#response === null) this.#abandon();
    };
  }

  /** The client has left and cannot read the answer. Logs call this 499, as nginx does. */
  #abandon(): void {
    this.#phase = 'over';
    this.#stop?.();
    this.#settle(Response.text(499, ''));
  }

  // Called by the iteration of a body.

  /** Sends one block that is not empty, and the head before the first block. Returns whether the client wants more. */
  send(block: Uint8Array): boolean {
    checkBlock(block);
    switch (this.#phase) {
      case 'new':
        throw contractError('a block was produced before start_response was called');
      case 'over':
        return false;
      case 'started':
        if (this.#isBodyless) {
          this.#complete(null);
          return false;
        }
        this.#begin();
    }
    this.#stream?.push(block);
    this.#sent += block.length;
    const { contentLength } = this.#headers;
    if (contentLength < 0 || this.#sent < contentLength) return this.#isStreaming();
    this.#phase = 'over';
    this.#stream?.end();
    return false;
  }

  /** Resolves when there is room for another block. */
  ready(): Promise<void> {
    return this.#stream?.ready() ?? READY;
  }

  /** The content is complete. */
  finish(): void {
    if (this.#phase === 'new') throw contractError('the application returned without calling start_response');
    if (this.#phase === 'started') this.#complete(null);
    else if (this.#phase === 'streaming') {
      this.#phase = 'over';
      this.#stream?.end();
    }
  }

  /** The application failed: the answer is 500 if the head was not sent yet, otherwise the response visibly breaks off. */
  fail(thrown: unknown): void {
    const error = asError(thrown);
    const { onError, errorResponse } = this.#server;
    if (this.#phase === 'streaming') {
      this.#phase = 'over';
      this.#stream?.fail(error);
      return;
    }
    const hasLeft = this.#isAbort(error);
    if (!(error instanceof RequestBodyError || hasLeft)) onError(error, this.request);
    if (this.#phase === 'over') return;
    this.#phase = 'over';
    if (!hasLeft) this.request.record.reason = 'exception';
    this.#settle(hasLeft ? Response.text(499, '') : errorResponse(error, this.request));
  }

  /** The application broke the contract in a way that the server corrects. */
  notice(text: string): void {
    this.#server.onNotice(text + placeOf(this.startResponse), this.request);
  }

  /** Whether `signal` or `write` has ended something that the application did for a client that has left. */
  #isAbort(error: Error): boolean {
    return error instanceof WriteRefusedError || (this.request.gone && error.name === 'AbortError');
  }

  /** Calls the `close` of a body, which the PEP promises in every case. An error in it does not harm the response. */
  close(body: ResponseBody): void {
    const failed = (thrown: unknown): void => this.#server.onError(asError(thrown), this.request);
    try {
      const closing = body.close?.();
      if (isPromise(closing)) closing.then(undefined, failed);
    } catch (error) {
      failed(error);
    }
  }

  /** A method, because the receiver of the head may cancel the response at once. */
  #isStreaming(): boolean {
    return this.#phase === 'streaming';
  }

  get #isBodyless(): boolean {
    const { code } = this.#status;
    return code === 204 || code === 304 || this.request.method === 'HEAD';
  }

  /** Answers with complete content. */
  #complete(content: Uint8Array | null): void {
    this.#answer('over', this.#isBodyless ? null : (content ?? new Uint8Array(0)));
  }

  /** Sends the head; content follows. */
  #begin(): void {
    this.#stream = new ResponseStream(() => {
      this.#phase = 'over';
      this.#controller?.abort();
      this.#stop?.();
    });
    this.#answer('streaming', this.#stream);
  }

  #answer(phase: 'streaming' | 'over', content: HttpBody): void {
    const { code, reason } = this.#status;
    const { lines, contentLength, has } = this.#headers;
    this.#phase = phase;
    this.#settle(new Response(code, reason, lines, contentLength, has, content));
  }

  #settle(response: Response): void {
    this.#response = response;
    this.#onResponse?.(response);
  }
}
