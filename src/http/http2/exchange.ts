import { constants, type ServerHttp2Stream } from 'node:http2';
import { ViaductError } from '../../errors.ts';
import type { BodySender, Exchange, ResponseSink } from '../exchange.ts';
import type { Peer, Request } from '../message.ts';
import { Refusal, RequestBodyError } from '../refusal.ts';
import { Response } from '../response.ts';
import { refusalResponse } from '../response-head.ts';
import { discardBody } from '../response-writer.ts';
import type { ServerContext } from '../server-context.ts';
import type { RequestFields } from './request-fields.ts';
import { StreamBody, type StreamBodyOwner } from './stream-body.ts';
import { StreamRequest } from './stream-request.ts';
import { writeStreamResponse } from './stream-response.ts';
import type { SinkOwner } from './stream-sink.ts';

/**
 * What an exchange does: waits for the handler's response (`handling`), sends it (`responding`), waits for the client to take the rest of it
 * (`flushing`), waits for a handler whose client has left (`abandoned`), or does nothing more (`over`).
 */
type Phase = 'handling' | 'responding' | 'flushing' | 'abandoned' | 'over';

/** The connection, as its exchanges see it. */
export interface ExchangeOwner {
  /** Grows as long as the client's socket takes something. */
  readonly progress: number;
  readonly peer: Peer;
  /** Whether the client may still send on stream `id`. */
  isOpen(id: number): boolean;
  onExchangeOver(exchange: StreamExchange): void;
}

const BODY_TIMEOUT = new Refusal(408, 'the content did not arrive in time');

/** Later than any tick. */
const NEVER = 0x3fffffff;
/** How often a stream of which nothing goes out may wait for others of its connection. */
const WAITS_MAX = 4;

const { NGHTTP2_INTERNAL_ERROR, NGHTTP2_NO_ERROR, NGHTTP2_CANCEL } = constants;

/** One request and its response: a stream of HTTP/2 (RFC 9113 section 8.1). */
export class StreamExchange implements Exchange, StreamBodyOwner, SinkOwner {
  readonly id: number;
  readonly stream: ServerHttp2Stream;
  socket: ResponseSink;
  persists = true;
  sender: BodySender | null = null;
  request: StreamRequest | null = null;
  /** The client gave the stream up. */
  reset = false;
  /** The server gave the stream up. */
  brokenOff = false;
  readonly #context: ServerContext;
  readonly #owner: ExchangeOwner;
  #phase: Phase = 'handling';
  #body: StreamBody | null = null;
  #expectsContinue = false;
  #status = 0;
  #bodyBytes = 0;
  /** The request as handlers and logs see it, where that is not as it came. */
  #shown: Request | null = null;
  #startedAtMs = 0;
  #deadline = NEVER;
  /** Blocks of the response that wait for the client. */
  #waiting = 0;
  #waits = 0;
  #progress = 0;

  constructor(stream: ServerHttp2Stream, context: ServerContext, owner: ExchangeOwner) {
    this.id = stream.id ?? 0;
    this.stream = stream;
    this.socket = stream as ResponseSink;
    this.#context = context;
    this.#owner = owner;
  }

  /** Answers the request that `raw` is; `fields` is lent for the call. */
  begin(raw: readonly string[], fields: RequestFields): void {
    const { stream } = this;
    stream.on('close', () => this.#closed());
    const refusal = fields.read(raw);
    if (refusal !== null) {
      this.#refuse(refusal);
      return;
    }
    const { contentLength, expectsContinue } = fields.framing;
    const { lengthKnown } = fields;
    if (stream.endAfterHeaders) this.#body = null;
    else if (lengthKnown && contentLength === 0) stream.resume();
    else this.#body = new StreamBody(stream, lengthKnown ? contentLength : -1, this.#context.limits, this);
    this.#expectsContinue = expectsContinue && this.#body !== null;
    this.request = new StreamRequest(fields, this.#body, this.#owner.peer);
    this.#handle(this.request);
  }

  #handle(request: StreamRequest): void {
    const { options } = this.#context;
    if (options.onAnswered !== null) this.#startedAtMs = performance.now();
    const { receive } = options;
    try {
      if (receive !== undefined && receive !== null) this.#shown = receive(request);
      const result = options.handle(this.#shown ?? request);
      if (result instanceof Response) this.#respond(result);
      else
        result.then(
          (response) => this.#respond(response),
          (error) => this.#fail(error),
        );
    } catch (error) {
      this.#fail(error);
    }
  }

  /** The handler's response is there. */
  #respond(response: Response): void {
    if (this.#phase !== 'handling') {
      discardBody(response.body);
      if (this.#phase === 'abandoned') this.#finish(response.status);
      return;
    }
    if (!(response.status >= 200 && response.status <= 999)) {
      discardBody(response.body);
      this.#fail(
        new ViaductError('RESPONSE_INVALID', `Cannot send a response with status ${response.status}: it is not final`),
      );
      return;
    }
    this.#phase = 'responding';
    this.#status = response.status;
    this.#await();
    this.#write(response);
  }

  #write(response: Response): void {
    try {
      writeStreamResponse(this, response);
    } catch (error) {
      this.report(error);
      this.sender?.cancel();
      this.breakOff();
    }
  }

  /** The handler failed. That it could not read a client's broken content is no failure of ours, and answered already. */
  #fail(error: unknown): void {
    if (!(error instanceof RequestBodyError)) this.report(error);
    if (this.#phase === 'handling') this.#respond(Response.text(500, 'Internal Server Error\n'));
    else if (this.#phase === 'abandoned') this.#finish(500);
  }

  // Exchange: what the sender of the response tells.

  sent(bytes: number, _more: boolean): void {
    this.#bodyBytes += bytes;
  }

  complete(): void {
    this.sender = null;
    this.#phase = 'flushing';
    this.#await();
    const { stream } = this;
    stream.end();
    // What the client still sends nobody wants (RFC 9113 section 8.1).
    if (!stream.endAfterHeaders && this.#owner.isOpen(this.id)) stream.close(NGHTTP2_NO_ERROR);
  }

  breakOff(): void {
    this.sender = null;
    this.#phase = 'flushing';
    this.brokenOff = true;
    this.stream.close(NGHTTP2_INTERNAL_ERROR);
  }

  failUnsent(): void {
    this.sender = null;
    this.#phase = 'handling';
    this.#respond(Response.text(500, 'Internal Server Error\n'));
  }

  report(error: unknown): void {
    this.#context.options.onError(error, this.#shown ?? this.request);
  }

  readonly onDrain = (): void => {
    if (this.#phase === 'responding') this.sender?.onDrain();
  };

  // SinkOwner: what becomes of the blocks of a long response.

  onWriting(): void {
    this.#waiting += 1;
    if (this.#waiting === 1) this.#await();
  }

  onWritten(): void {
    this.#waiting -= 1;
    this.#await();
  }

  /** The client says that it will take more of this response. */
  onWindowUpdate(): void {
    if (this.#isLeftToClient) this.#await();
  }

  /** Whether the next step is the client's: to take some of the response. A source may be quiet for as long as it likes. */
  get #isLeftToClient(): boolean {
    return this.#phase === 'flushing' || (this.#phase === 'responding' && this.#waiting > 0);
  }

  /** Sets by when the client must do what it has to do next. */
  #await(): void {
    const { tick, writeTicks, bodyTicks } = this.#context;
    this.#waits = 0;
    this.#progress = this.#owner.progress;
    if (this.#isLeftToClient) this.#deadline = tick + writeTicks;
    else this.#deadline = this.#body?.flowing === true ? tick + bodyTicks : NEVER;
  }

  // StreamBodyOwner: what the request's content tells.

  onBodyWanted(): void {
    if (this.#expectsContinue) {
      this.#expectsContinue = false;
      if (this.#phase === 'handling' && !this.stream.closed) this.stream.additionalHeaders({ ':status': 100 });
    }
    if (!this.#isLeftToClient) this.#await();
  }

  onBodyPaused(): void {
    if (!this.#isLeftToClient) this.#await();
  }

  /** The content is wrong, too large or too slow: the application hears it, the client too unless its response has begun. */
  onBodyRefused(refusal: Refusal): void {
    this.#expectsContinue = false;
    const { request } = this;
    const handling = this.#phase === 'handling' && request !== null;
    if (handling) this.#phase = 'responding';
    this.#body?.fail(new RequestBodyError(refusal.status, refusal.reason));
    if (!handling) return;
    this.#leave(request);
    this.#context.options.onAnswered?.(this.#shown ?? request, refusal.status, 0, this.#startedAtMs);
    this.request = null;
    this.#refuse(refusal);
  }

  /** Answers a client's mistake. */
  #refuse(refusal: Refusal): void {
    this.#context.options.onRefused?.(refusal, this.#owner.peer);
    this.#phase = 'responding';
    this.#await();
    this.#write(refusalResponse(refusal));
  }

  /** The stream is closed: all was sent, or one of the two sides gave it up. */
  #closed(): void {
    const phase = this.#phase;
    const { request, sender } = this;
    this.sender = null;
    sender?.cancel();
    this.#deadline = NEVER;
    if (phase === 'handling' && request !== null) this.#phase = 'abandoned';
    else this.#finish(this.#status);
    const taken = phase === 'flushing' && this.stream.rstCode === NGHTTP2_NO_ERROR;
    if (request !== null && !taken) this.#leave(request);
    this.#body?.fail(new RequestBodyError(0, 'the client has left'));
  }

  #leave(request: StreamRequest): void {
    if (request.gone) return;
    request.gone = true;
    const { onGone } = request;
    request.onGone = null;
    onGone?.();
  }

  #finish(status: number): void {
    if (this.#phase === 'over') return;
    this.#phase = 'over';
    const { request } = this;
    if (request !== null)
      this.#context.options.onAnswered?.(this.#shown ?? request, status, this.#bodyBytes, this.#startedAtMs);
    this.#owner.onExchangeOver(this);
  }

  /** Called once a tick. */
  sweep(): void {
    if (this.#context.tick < this.#deadline) return;
    if (!this.#isLeftToClient) {
      this.#deadline = NEVER;
      this.onBodyRefused(BODY_TIMEOUT);
      return;
    }
    // Its turn may not have come because the client's line is slow, not because the client does not want it.
    const waits = this.#waits;
    if (waits < WAITS_MAX && this.#progress !== this.#owner.progress) {
      this.#await();
      this.#waits = waits + 1;
    } else this.stream.close(NGHTTP2_CANCEL);
  }
}
