import { constants, type ServerHttp2Stream } from 'node:http2';
import { ViaductError } from '../../errors.ts';
import { refusalResponse } from '../http1/response-head.ts';
import { discardBody } from '../http1/response-writer.ts';
import type { Peer, Request } from '../message.ts';
import { Refusal, RequestBodyError } from '../refusal.ts';
import { Response } from '../response.ts';
import type { BodySender, Exchange, ResponseSink } from '../response-channel.ts';
import type { ServerContext } from '../transport/server-context.ts';
import type { RequestFields } from './request-fields.ts';
import { respondInterim } from './respond.ts';
import { StreamBody, type StreamBodyOwner } from './stream-body.ts';
import { type Line, StreamClock } from './stream-clock.ts';
import { StreamRequest } from './stream-request.ts';
import { writeStreamResponse } from './stream-response.ts';
import type { SinkOwner } from './stream-sink.ts';

/**
 * What an exchange does: waits for the handler's response (`handling`), sends it (`responding`), waits for the client to take the rest of it
 * (`flushing`), waits for a handler whose client has left (`abandoned`), or does nothing more (`over`).
 */
type Phase = 'handling' | 'responding' | 'flushing' | 'abandoned' | 'over';

/** The connection, as its exchanges see it. */
export interface ExchangeOwner extends Line {
  readonly peer: Peer;
  /** Whether the client may still send on stream `id`. */
  isOpen(id: number): boolean;
  onExchangeOver(exchange: StreamExchange): void;
}

/** What waits for a client that does not read must not grow with every call of an application. */
const INTERIM_MAX = 32;
const BODY_TIMEOUT = new Refusal(408, 'the content did not arrive in time');

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
  #interim = 0;
  #status = 0;
  #bodyBytes = 0;
  /** The request as handlers and logs see it, where that is not as it came. */
  #shown: Request | null = null;
  /** 0 when nobody wanted to know. */
  #startedAtMs = 0;
  readonly #clock: StreamClock;

  constructor(stream: ServerHttp2Stream, context: ServerContext, owner: ExchangeOwner) {
    this.id = stream.id ?? 0;
    this.stream = stream;
    this.socket = stream as ResponseSink;
    this.#context = context;
    this.#owner = owner;
    this.#clock = new StreamClock(context, owner);
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
    this.request = new StreamRequest(fields, this.#body, this.#owner.peer, this.#sendInterim);
    this.#handle(this.request);
  }

  #handle(request: StreamRequest): void {
    const { options, onAnswered } = this.#context;
    if (onAnswered !== null) this.#startedAtMs = performance.now();
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

  onWriting(bytes: number): void {
    this.#clock.writing(bytes);
    this.#await();
  }

  onWritten(bytes: number): void {
    this.#clock.written(bytes);
    this.#await();
  }

  /** The client says that it will take so many more bytes of this response. */
  onWindowUpdate(bytes: number): void {
    this.#clock.windowGrew(bytes);
  }

  /** Whether the next step is the client's: to take some of the response. A source may be quiet for as long as it likes. */
  get #isLeftToClient(): boolean {
    return this.#phase === 'flushing' || (this.#phase === 'responding' && this.#clock.waiting > 0);
  }

  /** The client's time runs for what it has to do next. */
  #await(): void {
    if (this.#isLeftToClient) this.#clock.awaitTaking();
    else if (this.#body?.flowing === true) this.#clock.awaitContent();
    else this.#clock.awaitNothing();
  }

  readonly #sendInterim = (status: number, lines: string): void => {
    if (this.#phase !== 'handling' || this.#interim === INTERIM_MAX) return;
    this.#interim += 1;
    respondInterim(this.stream, status, lines);
  };

  // StreamBodyOwner: what the request's content tells.

  onBodyWanted(): void {
    if (this.#expectsContinue) {
      this.#expectsContinue = false;
      if (this.#phase === 'handling' && !this.stream.closed) this.stream.additionalHeaders({ ':status': 100 });
    }
    this.#await();
  }

  onBodyReceived(bytes: number): void {
    this.#clock.received(bytes);
  }

  onBodyPaused(): void {
    this.#await();
  }

  /** The content is wrong, too large or too slow: the application hears it, the client too unless its response has begun. */
  onBodyRefused(refusal: Refusal): void {
    this.#expectsContinue = false;
    const { request } = this;
    const handling = this.#phase === 'handling' && request !== null;
    if (handling) this.#phase = 'responding';
    this.#body?.fail(new RequestBodyError(refusal.status, refusal.reason));
    if (!handling) {
      this.#await();
      return;
    }
    this.#leave(request);
    this.#tell(request, refusal.status, 0);
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
    this.#clock.awaitNothing();
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
    if (request !== null) this.#tell(request, status, this.#bodyBytes);
    this.#owner.onExchangeOver(this);
  }

  #tell(request: StreamRequest, status: number, bodyBytes: number): void {
    if (this.#startedAtMs === 0) return;
    this.#context.onAnswered?.(this.#shown ?? request, status, bodyBytes, this.#startedAtMs);
  }

  /** Called once a tick. */
  sweep(): void {
    const late = this.#clock.sweep();
    if (late === 'bringing') this.onBodyRefused(BODY_TIMEOUT);
    else if (late === 'taking') this.stream.close(NGHTTP2_CANCEL);
  }
}
