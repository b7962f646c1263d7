import { ViaductError } from '../../errors.ts';
import type { Peer, Request } from '../message.ts';
import { CLOSED_WITHOUT_RESPONSE, isNoResponse, statusInLogs } from '../no-response.ts';
import { peerOf } from '../peer.ts';
import { Refusal, RequestBodyError } from '../refusal.ts';
import { markGone, noteFailure, noteLeft } from '../request-record.ts';
import { Response } from '../response.ts';
import type { BodyFraming, BodySender, ResponseChannel } from '../response-channel.ts';
import { asSent, interimAsSent } from '../response-fields.ts';
import { serverAllowsKeepAlive } from '../semantics/keep-alive.ts';
import { discardBody } from '../semantics/response-content.ts';
import { statusLine } from '../semantics/status.ts';
import { ClientSocketControl } from '../transport/client-socket-control.ts';
import type { OpenRequest } from '../transport/protocol-server.ts';
import type { Arrival, ServerContext } from '../transport/server-context.ts';
import { attachSocket, type ClientSocket, type Receiver } from '../transport/socket-reader.ts';
import { UpgradeResponse } from '../upgrade-response.ts';
import { IncomingRequest, type InterimSender } from './request.ts';
import { type ContentOwner, RequestContent } from './request-content.ts';
import type { RequestHead } from './request-head.ts';
import { RequestReader } from './request-reader.ts';
import { refusalMessage } from './response-head.ts';
import { writeResponse } from './response-writer.ts';

/**
 * What a connection does at present:
 * - `idle`: waits for a request
 * - `head`: receives the head of a request
 * - `handling`: waits for the handler's response
 * - `responding`: sends the response
 * - `flushing`: waits until the client has taken the response
 * - `unread`: receives content that the application did not read
 * - `closing`: waits until the client has read the last response
 * - `abandoned`: waits for the handler, although the client has left
 * - `closed`: does nothing any more
 */
type Phase = 'idle' | 'head' | 'handling' | 'responding' | 'flushing' | 'unread' | 'closing' | 'abandoned' | 'closed';

const HEAD_TIMEOUT = new Refusal(408, 'the request did not arrive in time');
const HEAD_CUT_SHORT = new Refusal(400, 'the connection ended within the request');
const BODY_TIMEOUT = new Refusal(408, 'the content did not arrive in time');

const HTTP2_PREFACE_LINE = 'PRI * HTTP/2.0\r\n';
const CONTINUE = 'HTTP/1.1 100 Continue\r\n\r\n';
/** How much of the following requests is received before the current request is answered. */
const PIPELINED_BYTES_MAX = 65536;
const PROBES_MAX = 2;

/**
 * One client's connection: reads a request, passes it to the handler, writes the response and starts again (RFC 9112 section 9).
 * It answers one request at a time; requests that arrive early wait in the input, in order.
 */
export class Connection implements ResponseChannel, ContentOwner, InterimSender, Receiver, Arrival {
  readonly socket: ClientSocket<Connection>;
  keepAlive = true;
  sender: BodySender | null = null;
  ended = false;
  openedAtMs = 0;
  headAtMs = 0;
  /** 0 without an `onAnswered`. */
  startedAtMs = 0;
  readonly #context: ServerContext;
  readonly #listener: number;
  readonly #onClosed: (connection: Connection) => void;
  readonly #socketControl: ClientSocketControl;
  readonly #reader: RequestReader;
  #phase: Phase = 'idle';
  #peer: Peer | null = null;
  #request: IncomingRequest | null = null;
  /** The request as handlers and logs see it, as `receive` returned it; null without a `receive`. */
  #shown: Request | null = null;
  #content: RequestContent | null = null;
  #advancing = false;
  #probes = 0;
  #status = 0;
  #bodyBytes = 0;
  /** The trace of the request whose response waits for the client; null if nobody records that. */
  #flushing: IncomingRequest['trace'] = null;
  #onResponse: ((response: Response) => void) | null = null;
  #onFailure: ((error: unknown) => void) | null = null;

  constructor(
    socket: ClientSocket<Connection>,
    listener: number,
    context: ServerContext,
    peer: Peer | null,
    onClosed: (connection: Connection) => void,
  ) {
    this.socket = socket;
    this.#listener = listener;
    this.#context = context;
    this.#peer = peer;
    this.#onClosed = onClosed;
    this.#socketControl = new ClientSocketControl(socket, context);
    this.#reader = new RequestReader(context);
  }

  open(): void {
    if (this.#context.notesArrival) this.openedAtMs = performance.now();
    this.#socketControl.await(this.#context.headerTicks);
    attachSocket(this.socket, this);
  }

  receive(bytes: Buffer, length: number): void {
    if (this.#phase === 'closing' || this.#phase === 'closed') return;
    const { input } = this.#reader;
    input.lend(bytes, length);
    if (this.#phase === 'idle' || this.#phase === 'head') this.#advance();
    else this.#content?.feed(length);
    input.keep();
    if (this.#phase !== 'head' && input.length > PIPELINED_BYTES_MAX) this.#socketControl.setReceiving(false);
  }

  /** Answers requests one after the other, as long as the input has more. */
  #advance(): void {
    if (this.#advancing) return;
    this.#advancing = true;
    let corked = false;
    while (this.#phase === 'idle' || this.#phase === 'head') {
      if (this.#context.notesArrival && this.#phase === 'idle') this.headAtMs = performance.now();
      const head = this.#reader.next();
      if (head === null) {
        this.#awaitHead();
        break;
      }
      if (head instanceof Refusal) {
        if (!this.#handOverHttp2()) this.#refuse(head);
        break;
      }
      if (!corked && this.#reader.input.length > 0) {
        corked = true;
        this.socket.cork();
      }
      this.#handle(this.#startResponse(head));
    }
    if (corked) this.socket.uncork();
    this.#advancing = false;
    if (this.ended) this.#endWithInput();
  }

  /** Starts the time limit for the head, which counts from its first byte. Later bytes do not extend it. */
  #awaitHead(): void {
    if (!this.#reader.waiting || this.#phase === 'head') return;
    this.#phase = 'head';
    this.#socketControl.await(this.#context.headerTicks);
  }

  #startResponse(head: RequestHead): IncomingRequest {
    const { framing } = head;
    this.#peer ??= peerOf(this.socket, this.#listener);
    const content =
      framing.contentLength === 0
        ? null
        : new RequestContent(framing, this.#reader.input, this.#socketControl, this.#context, this);
    this.#content = content;
    const body = content === null ? null : content.body;
    const request = new IncomingRequest(head, body, this.#peer, framing.upgrades && body === null, this);
    this.keepAlive = framing.keepAlive;
    this.#request = request;
    this.#phase = 'handling';
    this.#socketControl.awaitNothing();
    this.#context.giveHeadBack(head);
    return request;
  }

  #handle(request: IncomingRequest): void {
    const { options, onAnswered } = this.#context;
    this.startedAtMs = onAnswered === null ? 0 : performance.now();
    try {
      const { receive } = options;
      if (receive !== undefined && receive !== null) this.#shown = receive(request, this);
      const result = options.handle(this.#shown ?? request);
      if (result instanceof Response) this.#respond(result);
      else {
        this.#onResponse ??= (response) => this.#respond(response);
        this.#onFailure ??= (error) => this.#fail(error);
        result.then(this.#onResponse, this.#onFailure);
      }
    } catch (error) {
      this.#fail(error);
    }
    if (this.#phase === 'handling' && this.#content?.body.untouched === true) this.#socketControl.setReceiving(false);
  }

  /** The handler has answered with `response`. */
  #respond(response: Response): void {
    const request = this.#request;
    if (this.#phase !== 'handling' || request === null) {
      discardBody(response.body);
      if (this.#phase === 'abandoned') this.#finishAbandoned(statusInLogs(response));
      return;
    }
    if (isNoResponse(response)) {
      request.trace?.respond(CLOSED_WITHOUT_RESPONSE, '');
      this.#finish(CLOSED_WITHOUT_RESPONSE, 0);
      this.breakOff('length');
      this.socket.destroySoon();
      return;
    }
    if (!(response.status >= 200 && response.status <= 599)) {
      if (response instanceof UpgradeResponse && request.upgrades) {
        this.#handOver(response);
        return;
      }
      discardBody(response.body);
      this.#fail(
        new ViaductError('RESPONSE_INVALID', `Cannot send a response with status ${response.status}: it is not final`),
      );
      return;
    }
    this.#phase = 'responding';
    this.#status = response.status;
    this.#bodyBytes = 0;
    request.lines = response.lines;
    this.keepAlive = this.keepAlive && serverAllowsKeepAlive(this.#context.draining, this.#content);
    const sent = asSent(response, this.#context.options.passesControls);
    request.trace?.respond(sent.status, sent.lines);
    writeResponse(this, request, sent);
  }

  /** The handler failed. If it failed because the client's content is broken, the client has its response and the log needs no entry. */
  #fail(error: unknown): void {
    if (!(error instanceof RequestBodyError)) this.report(error);
    if (this.#phase === 'handling') this.#respond(Response.text(500, 'Internal Server Error\n'));
    else if (this.#phase === 'abandoned') this.#finishAbandoned(500);
  }

  // ResponseChannel: calls of the response's writer.

  sent(bytes: number, more: boolean): void {
    this.#bodyBytes += bytes;
    if (more) return;
    this.#socketControl.block(bytes);
    this.#flushing = this.#request?.trace ?? null;
    this.#flushing?.beginFlush();
  }

  complete(): void {
    this.#finish();
    if (!this.keepAlive) this.#close();
    else if (this.#socketControl.blocked) this.#phase = 'flushing';
    else this.#afterResponse();
  }

  breakOff(framing: BodyFraming): void {
    this.#finish();
    if (framing === 'close' || this.#peer?.cgi !== undefined) this.#cut();
    else this.#close();
  }

  failUnsent(): void {
    this.sender = null;
    this.#phase = 'handling';
    this.#respond(Response.text(500, 'Internal Server Error\n'));
  }

  report(error: unknown): void {
    noteFailure(this.#request);
    this.#context.options.onError(error, this.#shown ?? this.#request);
  }

  /** A client that does not read gets no interim response: otherwise each call would add to the unsent bytes. */
  sendInterim(request: IncomingRequest, status: number, lines: string): void {
    if (this.#phase !== 'handling' || this.#request !== request || request.minorVersion === 0) return;
    if (this.socket.writableNeedDrain) return;
    const sent = interimAsSent(lines, this.#context.options.passesControls);
    this.socket.write(`${statusLine(status, '')}${sent}\r\n`, 'latin1');
  }

  // ContentOwner: calls of the request's content.

  continueContent(): void {
    if (this.#phase === 'handling') this.socket.write(CONTINUE, 'latin1');
  }

  contentOver(): void {
    if (this.#phase === 'unread') this.#awaitNextRequest();
    else if (!this.#socketControl.blocked) this.#socketControl.awaitNothing();
  }

  contentTooLong(): void {
    this.#close();
  }

  /** The content is wrong, too large or too slow. The application gets an error, and so does the client unless its response has started. */
  contentRefused(refusal: Refusal): void {
    this.keepAlive = false;
    this.#content?.fail(new RequestBodyError(refusal.status, refusal.reason));
    if (this.#phase === 'unread') {
      this.#close();
      return;
    }
    const request = this.#request;
    if (this.#phase !== 'handling' || request === null) return;
    request.reason = refusal.reason;
    this.#finish(refusal.status, 0);
    markGone(request);
    this.#refuse(refusal, this.#shown ?? request);
  }

  // After a response.

  /** The request is answered, or given up. */
  #finish(status = this.#status, bodyBytes = this.#bodyBytes): void {
    const request = this.#request;
    this.#request = null;
    this.sender = null;
    this.#probes = 0;
    if (request === null || this.startedAtMs === 0) return;
    this.#context.onAnswered?.(this.#shown ?? request, status, bodyBytes, this.startedAtMs);
  }

  /** The client has taken the response: continues with the next request, after the unread content of this one. */
  #afterResponse(): void {
    const content = this.#content;
    if (content === null || content.body.over) {
      this.#awaitNextRequest();
      return;
    }
    this.#phase = 'unread';
    content.skip();
  }

  #awaitNextRequest(): void {
    this.#detachContent();
    this.#shown = null;
    this.#phase = 'idle';
    this.openedAtMs = 0;
    if (this.#context.draining && this.#reader.input.length === 0) {
      this.#close();
      return;
    }
    this.#socketControl.await(this.#context.keepAliveTicks);
    this.#socketControl.setReceiving(true);
    this.#advance();
  }

  #detachContent(): void {
    this.#content?.detach();
    this.#content = null;
  }

  /** Answers a client's error and closes. */
  #refuse(refusal: Refusal, request: Request | null = null): void {
    this.#peer ??= peerOf(this.socket, this.#listener);
    this.#context.options.onRefused?.(refusal, request?.peer ?? this.#peer, request);
    this.#socketControl.write(refusalMessage(refusal));
    this.#close();
  }

  /** Ends the connection so that the client can still read the last response (RFC 9112 section 9.6). */
  #close(): void {
    if (this.#phase === 'closed' || this.#phase === 'closing') return;
    this.#phase = 'closing';
    this.#detachContent();
    this.#reader.clear();
    this.#socketControl.end();
  }

  #cut(): void {
    this.#phase = 'closed';
    this.#socketControl.cut();
  }

  // Receiver: calls of the socket; after them, calls of the server.

  inputEnded(): void {
    this.ended = true;
    if (this.#phase === 'idle' || this.#phase === 'head') this.#endWithInput();
    else if (this.#phase !== 'closing') this.#content?.end();
  }

  /** All input is used up, and no more will come. */
  #endWithInput(): void {
    if (this.#phase === 'idle') this.#close();
    else if (this.#phase !== 'head') return;
    else if (this.#reader.started) this.#refuse(HEAD_CUT_SHORT);
    else this.#close();
  }

  drained(): void {
    const socketControl = this.#socketControl;
    if (!socketControl.blocked) return;
    socketControl.unblock();
    this.#endFlush();
    if (this.#phase === 'closing') socketControl.await(this.#context.lingerTicks);
    else if (this.#content?.body.flowing === true) this.#content.await();
    else socketControl.awaitNothing();
    if (this.sender !== null) this.sender.onDrain();
    else if (this.#phase === 'flushing') this.#afterResponse();
  }

  #endFlush(): void {
    this.#flushing?.endFlush();
    this.#flushing = null;
  }

  closed(): void {
    this.#endFlush();
    const request = this.#request;
    const responding = this.#phase === 'responding';
    this.#phase = request !== null && !responding ? 'abandoned' : 'closed';
    this.#reader.clear();
    this.sender?.cancel();
    noteLeft(request);
    if (responding) this.#finish();
    if (request !== null) markGone(request);
    this.#content?.fail(new RequestBodyError(0, 'the client has left'));
    this.#detachContent();
    this.#onClosed(this);
  }

  /** The handler has answered, but the client had left before. */
  #finishAbandoned(status: number): void {
    this.#phase = 'closed';
    this.#finish(status, 0);
  }

  /** The server stops: an idle connection closes at once, a busy connection after its response. */
  drain(): void {
    this.keepAlive = false;
    if (this.#phase === 'idle' || (this.#phase === 'head' && !this.#reader.started)) this.#close();
  }

  destroy(): void {
    this.socket.destroy();
  }

  /** The request that is not answered completely, if there is one. */
  requests(): OpenRequest[] {
    const request = this.#shown ?? this.#request;
    if (this.#request === null || request === null) return [];
    return [{ request, isResponding: this.#phase === 'responding', startedAtMs: this.startedAtMs }];
  }

  /** Called once a tick. */
  sweep(): void {
    const late = this.#socketControl.sweep();
    if (this.ended && this.#phase === 'handling' && this.#probes < PROBES_MAX) this.#probe();
    if (this.#phase === 'idle') this.#reader.releaseIdle();
    if (!late) return;
    switch (this.#phase) {
      case 'idle':
      case 'unread':
        this.#close();
        break;
      case 'head':
        if (this.#reader.started) this.#refuse(HEAD_TIMEOUT);
        else this.#close();
        break;
      case 'handling':
        this.contentRefused(BODY_TIMEOUT);
        break;
      case 'responding':
        if (this.#socketControl.blocked) this.#cut();
        else this.contentRefused(BODY_TIMEOUT);
        break;
      default:
        this.destroy();
    }
  }

  /**
   * A client that sent FIN may wait for its response or may have gone; only writing shows which. An interim response does no harm to a
   * client that waits (RFC 9110 section 15.2). The machine of a client that has gone answers it with a reset. Node no longer reads a
   * socket at its end, so the second interim response, one tick later, finds that reset.
   */
  #probe(): void {
    this.#probes += 1;
    if (this.#request?.minorVersion === 1) this.socket.write(CONTINUE, 'latin1');
  }

  /** The handler takes over the socket, and the bytes that followed the request. */
  #handOver(response: UpgradeResponse): void {
    this.#finish(response.status, 0);
    this.socket.write(`${statusLine(response.status, response.reason)}${response.lines}\r\n`, 'latin1');
    response.onSocket(this.socket, this.#detachSocket());
  }

  /** The first request may be the start of HTTP/2. Only refused requests are examined, so valid HTTP/1.1 pays nothing. */
  #handOverHttp2(): boolean {
    const { onHttp2Preface: accept } = this.#context.options;
    if (accept === undefined || this.#status !== 0 || !this.#reader.startsWith(HTTP2_PREFACE_LINE)) return false;
    this.#peer ??= peerOf(this.socket, this.#listener);
    accept(this.socket, this.#detachSocket(), this.#listener, this.#peer);
    return true;
  }

  /** Gives up the socket and ends as a connection. Returns the bytes that were received and not used. */
  #detachSocket(): Buffer {
    const { bytes, at, end } = this.#reader.input;
    const early = Buffer.from(bytes.subarray(at, end));
    this.#phase = 'closed';
    this.#endFlush();
    this.#reader.clear();
    this.#socketControl.detach();
    this.#onClosed(this);
    return early;
  }
}
