import { ViaductError } from '../../errors.ts';
import type { Peer, Request } from '../message.ts';
import { peerOf } from '../peer.ts';
import { Refusal, RequestBodyError } from '../refusal.ts';
import { Response } from '../response.ts';
import type { BodyFraming, BodySender, Exchange } from '../response-channel.ts';
import { statusLine } from '../semantics/status.ts';
import { ClientLink } from '../transport/client-socket-control.ts';
import type { ServerContext } from '../transport/server-context.ts';
import { attachSocket, type ClientSocket, type Receiver } from '../transport/socket-reader.ts';
import { UpgradeResponse } from '../upgrade-response.ts';
import { IncomingRequest, type InterimSender } from './request.ts';
import { type ContentOwner, RequestContent } from './request-content.ts';
import type { RequestHead } from './request-head.ts';
import { RequestReader } from './request-reader.ts';
import { refusalMessage } from './response-head.ts';
import { discardBody, writeResponse } from './response-writer.ts';

/**
 * What a connection does: waits for a request (`idle`), receives its head (`head`), waits for the handler's response (`handling`), sends it
 * (`responding`), waits until the client took it (`flushing`), receives content that nobody wanted (`unread`), waits for the client to
 * read the last answer (`closing`), waits for a handler whose client has left (`abandoned`), or does nothing more (`closed`).
 */
type Phase = 'idle' | 'head' | 'handling' | 'responding' | 'flushing' | 'unread' | 'closing' | 'abandoned' | 'closed';

const HEAD_TIMEOUT = new Refusal(408, 'the request did not arrive in time');
const HEAD_CUT_SHORT = new Refusal(400, 'the connection ended within the request');
const BODY_TIMEOUT = new Refusal(408, 'the content did not arrive in time');

const HTTP2_PREFACE_LINE = 'PRI * HTTP/2.0\r\n';
const CONTINUE = 'HTTP/1.1 100 Continue\r\n\r\n';
/** Requests behind the current one that are taken in before it is answered. */
const PIPELINED_BYTES_MAX = 65536;
const PROBES_MAX = 2;

/**
 * One client's connection: reads a request, hands it to the handler, writes the response, begins again (RFC 9112 section 9). There is one
 * exchange at a time; requests that come early wait in the input, in order.
 */
export class Connection implements Exchange, ContentOwner, InterimSender, Receiver {
  readonly socket: ClientSocket<Connection>;
  persists = true;
  sender: BodySender | null = null;
  ended = false;
  readonly #context: ServerContext;
  readonly #listener: number;
  readonly #onClosed: (connection: Connection) => void;
  readonly #link: ClientLink;
  readonly #reader: RequestReader;
  #phase: Phase = 'idle';
  #peer: Peer | null = null;
  #request: IncomingRequest | null = null;
  /** The same as handlers and logs see it. */
  #shown: Request | null = null;
  #content: RequestContent | null = null;
  #advancing = false;
  #probes = 0;
  #status = 0;
  #bodyBytes = 0;
  /** 0 when nobody wanted to know. */
  #startedAtMs = 0;
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
    this.#link = new ClientLink(socket, context);
    this.#reader = new RequestReader(context);
  }

  open(): void {
    this.#link.await(this.#context.headerTicks);
    attachSocket(this.socket, this);
  }

  receive(bytes: Buffer, length: number): void {
    if (this.#phase === 'closing' || this.#phase === 'closed') return;
    const { input } = this.#reader;
    input.lend(bytes, length);
    if (this.#phase === 'idle' || this.#phase === 'head') this.#advance();
    else this.#content?.feed(length);
    input.keep();
    if (this.#phase !== 'head' && input.length > PIPELINED_BYTES_MAX) this.#link.setReceiving(false);
  }

  /** Answers one request after another, as long as they are there. */
  #advance(): void {
    if (this.#advancing) return;
    this.#advancing = true;
    let corked = false;
    while (this.#phase === 'idle' || this.#phase === 'head') {
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
      this.#handle(this.#beginExchange(head));
    }
    if (corked) this.socket.uncork();
    this.#advancing = false;
    if (this.ended) this.#endWithInput();
  }

  /** A head must be complete some time after its first byte, however slowly the others follow. */
  #awaitHead(): void {
    if (!this.#reader.waiting || this.#phase === 'head') return;
    this.#phase = 'head';
    this.#link.await(this.#context.headerTicks);
  }

  #beginExchange(head: RequestHead): IncomingRequest {
    const { framing } = head;
    this.#peer ??= peerOf(this.socket, this.#listener);
    const content =
      framing.contentLength === 0
        ? null
        : new RequestContent(framing, this.#reader.input, this.#link, this.#context, this);
    this.#content = content;
    const body = content === null ? null : content.body;
    const request = new IncomingRequest(head, body, this.#peer, framing.upgrades && body === null, this);
    this.persists = framing.persists && !this.#context.draining;
    this.#request = request;
    this.#phase = 'handling';
    this.#link.awaitNothing();
    this.#context.giveHeadBack(head);
    return request;
  }

  #handle(request: IncomingRequest): void {
    const { options, onAnswered } = this.#context;
    this.#startedAtMs = onAnswered === null ? 0 : performance.now();
    try {
      const { receive } = options;
      if (receive !== undefined && receive !== null) this.#shown = receive(request);
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
    if (this.#phase === 'handling' && this.#content?.body.untouched === true) this.#link.setReceiving(false);
  }

  /** The handler's response is there. */
  #respond(response: Response): void {
    const request = this.#request;
    if (this.#phase !== 'handling' || request === null) {
      discardBody(response.body);
      if (this.#phase === 'abandoned') this.#forgetAbandoned(response.status);
      return;
    }
    if (!(response.status >= 200 && response.status <= 999)) {
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
    this.persists = this.persists && !this.#context.draining && this.#content?.skippable !== false;
    writeResponse(this, request, response);
  }

  /** The handler failed. That it could not read a client's broken content is no failure of ours, and answered already. */
  #fail(error: unknown): void {
    if (!(error instanceof RequestBodyError)) this.report(error);
    if (this.#phase === 'handling') this.#respond(Response.text(500, 'Internal Server Error\n'));
    else if (this.#phase === 'abandoned') this.#forgetAbandoned(500);
  }

  // Exchange: what the writer of the response tells.

  sent(bytes: number, more: boolean): void {
    this.#bodyBytes += bytes;
    if (!more) this.#link.block(bytes);
  }

  complete(): void {
    this.#finish();
    if (!this.persists) this.#close();
    else if (this.#link.blocked) this.#phase = 'flushing';
    else this.#next();
  }

  breakOff(framing: BodyFraming): void {
    this.#finish();
    if (framing === 'close' || this.#peer?.told !== undefined) this.#cut();
    else this.#close();
  }

  failUnsent(): void {
    this.sender = null;
    this.#phase = 'handling';
    this.#respond(Response.text(500, 'Internal Server Error\n'));
  }

  report(error: unknown): void {
    this.#context.options.onError(error, this.#shown ?? this.#request);
  }

  /** A client that does not read gets none: what waits for it must not grow with every call. */
  sendInterim(request: IncomingRequest, status: number, lines: string): void {
    if (this.#phase !== 'handling' || this.#request !== request || request.minorVersion === 0) return;
    if (!this.socket.writableNeedDrain) this.socket.write(`${statusLine(status, '')}${lines}\r\n`, 'latin1');
  }

  // ContentOwner: what the request's content tells.

  continueContent(): void {
    if (this.#phase === 'handling') this.socket.write(CONTINUE, 'latin1');
  }

  contentOver(): void {
    if (this.#phase === 'unread') this.#goOn();
    else if (!this.#link.blocked) this.#link.awaitNothing();
  }

  contentTooLong(): void {
    this.#close();
  }

  /** The content is wrong, too large or too slow: the application hears it, the client too unless its response has begun. */
  contentRefused(refusal: Refusal): void {
    this.persists = false;
    this.#content?.fail(new RequestBodyError(refusal.status, refusal.reason));
    if (this.#phase === 'unread') {
      this.#close();
      return;
    }
    const request = this.#request;
    if (this.#phase !== 'handling' || request === null) return;
    this.#status = refusal.status;
    this.#bodyBytes = 0;
    this.#finish();
    this.#leave(request);
    this.#refuse(refusal);
  }

  // After a response.

  /** The exchange is over. */
  #finish(): void {
    const request = this.#request;
    this.#request = null;
    this.sender = null;
    this.#probes = 0;
    if (request === null || this.#startedAtMs === 0) return;
    this.#context.onAnswered?.(this.#shown ?? request, this.#status, this.#bodyBytes, this.#startedAtMs);
  }

  /** The client took the response: on to the next request, past what is left of this one's content. */
  #next(): void {
    const content = this.#content;
    if (content === null || content.body.over) {
      this.#goOn();
      return;
    }
    this.#phase = 'unread';
    content.skip();
  }

  #goOn(): void {
    this.#leaveContent();
    this.#shown = null;
    this.#phase = 'idle';
    if (this.#context.draining && this.#reader.input.length === 0) {
      this.#close();
      return;
    }
    this.#link.await(this.#context.keepAliveTicks);
    this.#link.setReceiving(true);
    this.#advance();
  }

  #leaveContent(): void {
    this.#content?.leave();
    this.#content = null;
  }

  /** Answers a client's mistake and closes. */
  #refuse(refusal: Refusal): void {
    this.#peer ??= peerOf(this.socket, this.#listener);
    this.#context.options.onRefused?.(refusal, this.#shown?.peer ?? this.#peer);
    this.#link.write(refusalMessage(refusal));
    this.#close();
  }

  /** Ends the connection so that the client can still read the last answer (RFC 9112 section 9.6). */
  #close(): void {
    if (this.#phase === 'closed' || this.#phase === 'closing') return;
    this.#phase = 'closing';
    this.#leaveContent();
    this.#reader.clear();
    this.#link.end();
  }

  #cut(): void {
    this.#phase = 'closed';
    this.#link.cut();
  }

  // Receiver: what the socket tells; then what the server does.

  inputEnded(): void {
    this.ended = true;
    if (this.#phase === 'idle' || this.#phase === 'head') this.#endWithInput();
    else if (this.#phase !== 'closing') this.#content?.end();
  }

  /** All that was received is used up, and no more comes. */
  #endWithInput(): void {
    if (this.#phase === 'idle') this.#close();
    else if (this.#phase !== 'head') return;
    else if (this.#reader.begun) this.#refuse(HEAD_CUT_SHORT);
    else this.#close();
  }

  drained(): void {
    const link = this.#link;
    if (!link.blocked) return;
    link.unblock();
    if (this.#phase === 'closing') link.await(this.#context.lingerTicks);
    else if (this.#content?.body.flowing === true) this.#content.await();
    else link.awaitNothing();
    if (this.sender !== null) this.sender.onDrain();
    else if (this.#phase === 'flushing') this.#next();
  }

  closed(): void {
    const request = this.#request;
    const responding = this.#phase === 'responding';
    this.#phase = request !== null && !responding ? 'abandoned' : 'closed';
    this.#reader.clear();
    this.sender?.cancel();
    if (responding) this.#finish();
    if (request !== null) this.#leave(request);
    this.#content?.fail(new RequestBodyError(0, 'the client has left'));
    this.#leaveContent();
    this.#onClosed(this);
  }

  #leave(request: IncomingRequest): void {
    request.gone = true;
    const { onGone } = request;
    request.onGone = null;
    onGone?.();
  }

  /** The handler has answered a client that had left. */
  #forgetAbandoned(status: number): void {
    this.#phase = 'closed';
    this.#status = status;
    this.#bodyBytes = 0;
    this.#finish();
  }

  /** The server stops: an idle connection closes, a busy one does after its response. */
  drain(): void {
    this.persists = false;
    if (this.#phase === 'idle' || (this.#phase === 'head' && !this.#reader.begun)) this.#close();
  }

  destroy(): void {
    this.socket.destroy();
  }

  /** Called once a tick. */
  sweep(): void {
    const late = this.#link.sweep();
    if (this.ended && this.#phase === 'handling' && this.#probes < PROBES_MAX) this.#probe();
    if (this.#phase === 'idle') this.#reader.rest();
    if (!late) return;
    switch (this.#phase) {
      case 'idle':
      case 'unread':
        this.#close();
        break;
      case 'head':
        if (this.#reader.begun) this.#refuse(HEAD_TIMEOUT);
        else this.#close();
        break;
      case 'handling':
        this.contentRefused(BODY_TIMEOUT);
        break;
      case 'responding':
        if (this.#link.blocked) this.#cut();
        else this.contentRefused(BODY_TIMEOUT);
        break;
      default:
        this.destroy();
    }
  }

  /**
   * A client that sent FIN may wait for its answer or be gone; nothing tells the two apart but writing. An interim response does no harm to
   * the one (RFC 9110 section 15.2), and the other's machine answers it with a reset, which a second one a tick later runs into: a socket
   * at its end is not read any more.
   */
  #probe(): void {
    this.#probes += 1;
    if (this.#request?.minorVersion === 1) this.socket.write(CONTINUE, 'latin1');
  }

  /** The handler takes the socket, and what came behind the request. */
  #handOver(response: UpgradeResponse): void {
    this.#status = response.status;
    this.#bodyBytes = 0;
    this.#finish();
    this.socket.write(`${statusLine(response.status, response.reason)}${response.lines}\r\n`, 'latin1');
    response.onSocket(this.socket, this.#leaveSocket());
  }

  /** What was refused may be no bad request but the start of HTTP/2: it is told only of what is no HTTP/1.1, so that this costs none. */
  #handOverHttp2(): boolean {
    const { onHttp2Preface } = this.#context.options;
    const answeredBefore = this.#status !== 0;
    if (onHttp2Preface === undefined || answeredBefore || !this.#reader.startsWith(HTTP2_PREFACE_LINE)) return false;
    this.#peer ??= peerOf(this.socket, this.#listener);
    onHttp2Preface(this.socket, this.#leaveSocket(), this.#listener, this.#peer);
    return true;
  }

  /** Is no connection any more. Returns what was received and not used. */
  #leaveSocket(): Buffer {
    const { bytes, at, end } = this.#reader.input;
    const early = Buffer.from(bytes.subarray(at, end));
    this.#phase = 'closed';
    this.#reader.clear();
    this.#link.detach();
    this.#onClosed(this);
    return early;
  }
}
