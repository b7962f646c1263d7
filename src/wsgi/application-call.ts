import type { HandlerResult } from '../http/handler.ts';
import type { ResponseBody as HttpBody, Later, Request } from '../http/message.ts';
import { RequestBodyError } from '../http/refusal.ts';
import { type EncodedHeaders, Response } from '../http/response.ts';
import { EARLY_HINTS } from '../http/semantics/status.ts';
import type { ApplicationOptions } from './application-options.ts';
import type { Application, Client, Environ, Header, ResponseBody, Write } from './contract.ts';
import { checkBlock, describe, isBody, isPromise, mistake } from './contract-errors.ts';
import type { Section } from './environ-builder.ts';
import { FileBlocks } from './file-wrapper.ts';
import { iterate } from './iterate.ts';
import { PassedBody } from './passed-body.ts';
import { encodeEarlyHints, encodeResponseHeaders } from './response-headers.ts';
import { ResponseStream } from './response-stream.ts';
import { parseStatus, type Status } from './status.ts';

const NO_STATUS: Status = { code: 200, reason: '' };
const NO_HEADERS: EncodedHeaders = { lines: '', contentLength: -1, has: 0 };
const READY = Promise.resolve();

/**
 * One call of an application (PEP 3333): nothing yet (`new`), `start_response` was called (`started`), content leaves (`streaming`), all is said
 * (`over`). At the same time it is the promise of the response, and the client as the application sees it.
 */
export class Exchange implements Later<Response>, Client {
  readonly request: Request;
  /** What the environ was made of, to see what became of it; null when it was not made here. */
  readonly #section: Section | null;
  readonly #server: Pick<ApplicationOptions, 'onError' | 'errorResponse'>;
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
    server: Pick<ApplicationOptions, 'onError' | 'errorResponse'>,
  ) {
    this.request = request;
    this.#section = section;
    this.#server = server;
  }

  /** Calls `application`; returns the response when it is there at once. */
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

  // What the application sees of its client.

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

  // What a Python application at the end of the chain sees of the environ.

  /** Whether somebody is to be told when the client leaves. */
  get isWatched(): boolean {
    return this.#controller !== null;
  }

  /** Whether `environ` still says what it said when the application got it, and nothing was read of its content. */
  isUnchanged(environ: Environ): boolean {
    return this.#section?.isUnchanged(environ, this.request, this, this.earlyHints) === true;
  }

  // The two callables of the contract, and early hints.

  readonly startResponse = (status: string, headers: readonly Header[], excInfo?: unknown): Write => {
    if (excInfo !== undefined && excInfo !== null) {
      if (this.#phase === 'streaming' || this.#phase === 'over') throw excInfo;
    } else if (this.#phase !== 'new') throw mistake('start_response was called a second time without excInfo');
    this.#status = parseStatus(status);
    this.#headers = encodeResponseHeaders(headers);
    this.#phase = 'started';
    return this.#write;
  };

  /** Does what `startResponse` does for a response from below, whose head was checked: where nobody in between looks at it, it is no list. */
  begin(response: Response): void {
    if (this.#phase !== 'new') throw mistake('start_response was called a second time without excInfo');
    this.#status = { code: response.status, reason: response.reason };
    this.#headers = response;
    this.#phase = 'started';
  }

  /** It throws at once, so that nobody has to await it to hear of a mistake. */
  readonly #write = (block: Uint8Array): Promise<void> => {
    checkBlock(block);
    if (block.length === 0 || !this.send(block)) return READY;
    return this.#stream?.ready() ?? READY;
  };

  readonly earlyHints = (headers: readonly Header[]): void => {
    const lines = encodeEarlyHints(headers);
    if (lines !== '' && this.#phase !== 'streaming' && this.#phase !== 'over')
      this.request.sendInterim(EARLY_HINTS, lines);
  };

  // What the application has returned.

  #respond(body: ResponseBody): void {
    if (Array.isArray(body)) this.#sendArray(body);
    else if (body instanceof PassedBody && this.#phase === 'started' && body.isWhole) this.#sendPassed(body);
    else if (body instanceof FileBlocks && this.#phase === 'started' && !this.#isBodyless) void this.#sendFile(body);
    else this.#iterate(body);
  }

  /** Blocks that are there leave as one. */
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
    if (!isBody(body)) {
      this.fail(mistake(`the application returned ${describe(body)}, and not an iterable of blocks of bytes`));
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

  /** A client that leaves before the first block ends the iteration. Later its response tells. */
  #watchClient(): void {
    const { request } = this;
    const before = request.onGone;
    request.onGone = () => {
      before?.();
      if (this.#response === null) this.#abandon();
    };
  }

  /** Nobody is there to read the answer: 499 is what logs call that (nginx). */
  #abandon(): void {
    this.#phase = 'over';
    this.#stop?.();
    this.#settle(Response.text(499, ''));
  }

  // What the iteration of a body tells.

  /** Sends one block, which is not empty, and the head before the first one. Returns whether more is wanted. */
  send(block: Uint8Array): boolean {
    checkBlock(block);
    switch (this.#phase) {
      case 'new':
        throw mistake('a block was produced before start_response was called');
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
    if (this.#phase === 'new') throw mistake('the application returned without calling start_response');
    if (this.#phase === 'started') this.#complete(null);
    else if (this.#phase === 'streaming') {
      this.#phase = 'over';
      this.#stream?.end();
    }
  }

  /** The application failed: 500 while the head is still here, else a response that visibly breaks off. */
  fail(error: unknown): void {
    const { onError, errorResponse } = this.#server;
    if (this.#phase === 'streaming') {
      this.#phase = 'over';
      this.#stream?.fail(error instanceof Error ? error : new Error(String(error)));
      return;
    }
    if (!(error instanceof RequestBodyError || this.#isAbort(error))) onError(error, this.request);
    if (this.#phase === 'over') return;
    this.#phase = 'over';
    this.#settle(errorResponse(error));
  }

  /** What `signal` makes of things that an application does for a client that has left. */
  #isAbort(error: unknown): boolean {
    return this.request.gone && error instanceof Error && error.name === 'AbortError';
  }

  /** Calls the `close` of a body, which the PEP promises on every path. What it throws does no harm to the response. */
  close(body: ResponseBody): void {
    const failed = (error: unknown): void => this.#server.onError(error, this.request);
    try {
      const closing = body.close?.();
      if (isPromise(closing)) closing.then(undefined, failed);
    } catch (error) {
      failed(error);
    }
  }

  /** A method, because who takes the head may find that nobody wants it. */
  #isStreaming(): boolean {
    return this.#phase === 'streaming';
  }

  get #isBodyless(): boolean {
    const { code } = this.#status;
    return code === 204 || code === 304 || this.request.method === 'HEAD';
  }

  /** Answers with content that is all there. */
  #complete(content: Uint8Array | null): void {
    this.#answer('over', this.#isBodyless ? null : (content ?? new Uint8Array(0)));
  }

  /** The head leaves; content follows. */
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
