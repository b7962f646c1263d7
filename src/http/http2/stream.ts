import { ViaductError } from '../../errors.ts';
import type { BodySource, HeaderList, Peer, Request, RequestBody } from '../message.ts';
import { CLOSED_WITHOUT_RESPONSE, isNoResponse, statusInLogs } from '../no-response.ts';
import { Refusal, RequestBodyError } from '../refusal.ts';
import { markGone, noteFailure, noteLeft } from '../request-record.ts';
import { Response } from '../response.ts';
import type { BodySender, ResponseChannel } from '../response-channel.ts';
import { asSent, interimAsSent } from '../response-fields.ts';
import { refusalResponse } from '../semantics/refusal-response.ts';
import { discardBody } from '../semantics/response-content.ts';
import { passedTrailers } from '../semantics/trailers.ts';
import type { OpenRequest } from '../transport/protocol-server.ts';
import type { Arrival, ServerContext } from '../transport/server-context.ts';
import { UpgradeResponse } from '../upgrade-response.ts';
import { CANCEL, INTERNAL_ERROR, PROTOCOL_ERROR } from './frames.ts';
import type { Priority } from './priority.ts';
import type { RequestSection } from './request-section.ts';
import { type FieldList, tunnelFields } from './response-fields.ts';
import { writeResponse } from './response-writer.ts';
import type { SessionOutput } from './session-output.ts';
import { StreamClock } from './stream-clock.ts';
import { type ContentOwner, StreamContent } from './stream-content.ts';
import { type OutputOwner, StreamOutput } from './stream-output.ts';
import { type InterimSender, StreamRequest } from './stream-request.ts';
import { StreamSocket } from './stream-socket.ts';

/**
 * What a stream does at present:
 * - `waiting`: is not given to the handler, because the memory for content is used up
 * - `handling`: waits for the handler's response
 * - `responding`: sends the response
 * - `abandoned`: waits for the handler, although the client has left
 * - `over`: does nothing any more
 */
type Phase = 'waiting' | 'handling' | 'responding' | 'abandoned' | 'over';

/** The session as its streams see it. */
export interface StreamOwner {
  readonly context: ServerContext;
  readonly peer: Peer;
  /** See `Arrival`; of the connection. */
  readonly openedAtMs: number;
  /** When the packet arrived that is being read, or the first one of a head that is not complete. */
  readonly headAtMs: number;
  readonly output: SessionOutput;
  /** `bytes` of content were passed on or dropped. */
  credit(bytes: number): void;
  onStreamOver(stream: Stream): void;
}

/** Limits the interim responses of one request: otherwise each call of an application would add to the unsent bytes. */
const INTERIM_MAX = 32;
const BODY_TIMEOUT = new Refusal(408, 'the content did not arrive in time');
const LEFT = 'the client has left';
/** As in nginx: the client left before the request had an answer. It appears only in logs. */
const CLIENT_LEFT = 499;

/** One request and its response (RFC 9113 section 8.1). */
export class Stream implements ResponseChannel, ContentOwner, OutputOwner, InterimSender, Arrival {
  readonly id: number;
  /** Whether this server has given up the stream. */
  wasReset = false;
  /** Whether the client has sent its last frame of this stream. */
  clientEnded: boolean;
  /** What the client takes of this stream, as long as there is no output. */
  sendWindow: number;
  keepAlive = true;
  sender: BodySender | null = null;
  source: BodySource | null = null;
  priority: Priority;
  readonly #owner: StreamOwner;
  #phase: Phase = 'handling';
  #request: StreamRequest | null = null;
  /** The request as handlers and logs see it, as `receive` returned it; null without a `receive`. */
  #shown: Request | null = null;
  #content: StreamContent | null = null;
  #output: StreamOutput | null = null;
  #isTunnel = false;
  /** Whether this server has ended a tunnel, and the client has not. */
  #serverEnded = false;
  #interim = 0;
  #status = 0;
  #bodyBytes = 0;
  /** 0 without an `onAnswered`. */
  startedAtMs = 0;
  readonly #clock: StreamClock;

  constructor(id: number, section: RequestSection, endsStream: boolean, sendWindow: number, owner: StreamOwner) {
    this.id = id;
    this.clientEnded = endsStream;
    this.sendWindow = sendWindow;
    this.priority = section.priority;
    this.#owner = owner;
    this.#clock = new StreamClock(owner.context);
  }

  /** Answers the request. A request that `waits` is not given to the handler before `handleWaiting`, unless it is refused at once. */
  start(section: RequestSection, waits: boolean): void {
    const { context, peer } = this.#owner;
    if (section.refusal !== null) {
      this.#refuse(section.refusal, null);
      return;
    }
    const { isWebSocket, contentLength } = section;
    let body: RequestBody | null = null;
    if (!this.clientEnded) {
      const { limits } = context;
      const own = isWebSocket ? { ...limits, bodyBytesMax: Number.POSITIVE_INFINITY } : limits;
      this.#content = new StreamContent(contentLength, section.expectsContinue, own, this);
      if (!isWebSocket && contentLength !== 0) body = this.#content.body;
    }
    const request = new StreamRequest(section, body, peer, this);
    this.#request = request;
    const { options, onAnswered } = context;
    if (onAnswered !== null) this.startedAtMs = performance.now();
    try {
      const { receive } = options;
      if (receive !== undefined && receive !== null) this.#shown = receive(request, this);
    } catch (error) {
      this.#fail(error);
      return;
    }
    if (waits) this.#phase = 'waiting';
    else this.#handle(request);
  }

  get openedAtMs(): number {
    return this.id === 1 ? this.#owner.openedAtMs : 0;
  }

  get headAtMs(): number {
    return this.#owner.headAtMs;
  }

  /** Whether the request waits for `handleWaiting`. */
  get isWaiting(): boolean {
    return this.#phase === 'waiting';
  }

  /** Gives a request that waits to the handler. */
  handleWaiting(): void {
    if (this.#phase !== 'waiting') return;
    this.#phase = 'handling';
    this.#handle(this.#request as StreamRequest);
  }

  #handle(request: StreamRequest): void {
    try {
      const result = this.#owner.context.options.handle(this.#shown ?? request);
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

  /** The handler has answered with `response`. */
  #respond(response: Response): void {
    if (this.#phase !== 'handling') {
      discardBody(response.body);
      if (this.#phase === 'abandoned') this.#finish(statusInLogs(response));
      return;
    }
    if (isNoResponse(response)) {
      this.#drop();
      return;
    }
    const { status } = response;
    if (this.#request?.upgrades === true && this.#isTunnelAnswer(response)) return;
    if (!(status >= 200 && status <= 599)) {
      discardBody(response.body);
      this.#fail(new ViaductError('RESPONSE_INVALID', `Cannot send a response with status ${status}: it is not final`));
      return;
    }
    this.#phase = 'responding';
    this.#status = status;
    if (this.#request !== null) this.#request.lines = response.lines;
    const sent = asSent(response, this.#owner.context.options.passesControls);
    this.#request?.trace?.respond(sent.status, sent.lines);
    this.#write(sent);
  }

  /** Ends the stream without a response, as nginx does. */
  #drop(): void {
    const request = this.#request;
    this.#phase = 'responding';
    request?.trace?.respond(CLOSED_WITHOUT_RESPONSE, '');
    if (request !== null) this.#reportAnswered(request, CLOSED_WITHOUT_RESPONSE);
    this.#request = null;
    this.reset(PROTOCOL_ERROR);
  }

  /**
   * Answers a request for a WebSocket (RFC 8441 section 5) if it was granted. Another response with a status of 2xx would mean the same to
   * the client, so it becomes an error.
   */
  #isTunnelAnswer(response: Response): boolean {
    const content = this.#content;
    if (response instanceof UpgradeResponse && content !== null) {
      this.#openTunnel(response, content.body);
      return true;
    }
    if (!(response.status >= 200 && response.status <= 299)) return false;
    discardBody(response.body);
    this.#respond(Response.text(501, 'Not Implemented: nothing here speaks the WebSocket protocol\n'));
    return true;
  }

  #openTunnel(response: UpgradeResponse, body: RequestBody): void {
    const request = this.#request as StreamRequest;
    this.#phase = 'responding';
    this.#status = 200;
    this.#isTunnel = true;
    this.#reportAnswered(request, this.#status);
    this.#request = null;
    const fields = tunnelFields(response);
    this.openOutput(fields);
    this.writeHead(fields);
    const socket = new StreamSocket(this, body);
    this.sender = socket;
    response.onSocket(socket, NO_BYTES);
  }

  /** Gives up a tunnel. */
  cancel(): void {
    this.sender = null;
    this.reset(CANCEL);
  }

  #write(response: Response): void {
    try {
      writeResponse(this, this.#request?.method === 'HEAD', response);
    } catch (error) {
      this.report(error);
      this.sender?.cancel();
      this.breakOff();
    }
  }

  /** The handler failed. If it failed because the client's content is broken, the client has its response and the log needs no entry. */
  #fail(error: unknown): void {
    if (!(error instanceof RequestBodyError)) this.report(error);
    if (this.#phase === 'handling') this.#respond(Response.text(500, 'Internal Server Error\n'));
    else if (this.#phase === 'abandoned') this.#finish(500);
  }

  // Calls of the response's writer.

  /** The stream as senders of long content see it. Call `openOutput` first. */
  get socket(): StreamOutput {
    return this.#output as StreamOutput;
  }

  openOutput(fields: FieldList): void {
    this.#output = new StreamOutput(this.id, this.sendWindow, this.priority, fields, this);
  }

  /** Whether the whole content can be sent at once. */
  takesNow(bytes: number): boolean {
    return bytes <= this.sendWindow && this.#owner.output.takesNow(bytes);
  }

  writeHead(fields: FieldList, endsStream = false): void {
    this.#owner.output.head(this.id, fields, endsStream);
  }

  /** Sends the whole content, for which `takesNow` returned true, and ends the response. */
  writeWhole(fields: FieldList, bytes: Uint8Array): void {
    const { id } = this;
    this.#owner.output.head(id, fields, bytes.length === 0);
    if (bytes.length > 0) this.#owner.output.content(id, bytes, true);
    this.#bodyBytes += bytes.length;
    this.#end();
  }

  /** Ends a response without content, whose head has ended the stream. */
  endEmpty(): void {
    this.#end();
  }

  sent(bytes: number, more: boolean): void {
    this.#bodyBytes += bytes;
    if (!more) this.#request?.trace?.beginFlush();
  }

  complete(): void {
    if (!this.#isTunnel) this.sender = null;
    if (this.#phase !== 'responding') return;
    const output = this.#output;
    const trailers = passedTrailers(this.source?.trailers ?? NO_TRAILERS, null);
    if (output?.pending != null) {
      if (trailers.length === 0) output.end();
      return;
    }
    this.#owner.output.end(this.id, trailers);
    if (this.#isTunnel && !this.clientEnded) this.#serverEnded = true;
    else this.#end();
  }

  breakOff(): void {
    this.sender = null;
    this.reset(INTERNAL_ERROR);
  }

  failUnsent(): void {
    this.sender = null;
    this.sendWindow = this.socket.window;
    this.#output = null;
    this.#phase = 'handling';
    this.#respond(Response.text(500, 'Internal Server Error\n'));
  }

  report(error: unknown): void {
    noteFailure(this.#request);
    this.#owner.context.options.onError(error, this.#shown ?? this.#request);
  }

  sendInterim(status: number, lines: string): void {
    if (this.#phase !== 'handling' || this.#interim === INTERIM_MAX) return;
    this.#interim += 1;
    const { context, output } = this.#owner;
    output.interim(this.id, status, interimAsSent(lines, context.options.passesControls));
  }

  // Calls of the output.

  onPending(output: StreamOutput): void {
    this.#owner.output.send(output);
  }

  onSent(bytes: number): void {
    this.#clock.took(bytes);
  }

  onDrained(): void {
    this.#request?.trace?.endFlush();
    if (this.sender !== null) this.sender.onDrain();
    else this.complete();
  }

  onEnded(): void {
    this.#end();
  }

  // Calls of the request's content.

  onContinueWanted(): void {
    if (this.#phase === 'handling') this.#owner.output.interim(this.id, 100, '');
  }

  creditConnection(bytes: number): void {
    this.#owner.credit(bytes);
  }

  creditStream(bytes: number): void {
    if (!this.clientEnded) this.#owner.output.windowUpdate(this.id, bytes);
  }

  /** The application gets an error, and so does the client unless its response has started. */
  onContentRefused(refusal: Refusal): void {
    const request = this.#request;
    const handling = (this.#phase === 'handling' || this.#phase === 'waiting') && request !== null;
    if (handling) this.#phase = 'responding';
    this.#content?.body.fail(new RequestBodyError(refusal.status, refusal.reason));
    if (!handling) return;
    request.reason = refusal.reason;
    markGone(request);
    this.#reportAnswered(request, refusal.status);
    this.#request = null;
    this.#refuse(refusal, this.#shown ?? request);
  }

  // Calls of the connection: what the client does.

  /** A DATA frame of `bytes` starts. Returns false if these are more than the client may send. */
  takeFromWindow(bytes: number): boolean {
    return this.#content === null || this.#content.takeFromWindow(bytes);
  }

  /** `bytes` of a DATA frame were padding. */
  skipPadding(bytes: number): void {
    if (this.#content === null) this.#owner.credit(bytes);
    else this.#content.onBodyTaken(bytes);
  }

  /** Content arrived. Returns false if it is longer than its announced length. */
  receive(bytes: Buffer, start: number, end: number): boolean {
    const content = this.#content;
    this.#clock.brought(end - start);
    if (content !== null) return content.body.receive(bytes, start, end);
    this.#owner.credit(end - start);
    return true;
  }

  /** The client has sent everything. Returns false if that is less than the announced length. */
  endContent(): boolean {
    this.clientEnded = true;
    const isComplete = this.#content === null || this.#content.body.end();
    if (this.#serverEnded) this.#end();
    return isComplete;
  }

  /** The trailer section of the request arrived, before `endContent`. `isCut` says that it had more than `fields`. */
  readTrailers(fields: HeaderList, isCut: boolean): void {
    this.#content?.body.readTrailers(fields, isCut);
  }

  /** The client takes `bytes` more, or less if they are negative: then nothing is sent. Returns the new size of its window. */
  openWindow(bytes: number): number {
    const output = this.#output;
    if (output === null) {
      this.sendWindow += bytes;
      return this.sendWindow;
    }
    output.window += bytes;
    if (output.window <= 0) this.#owner.output.forget(output);
    else if (bytes > 0 && output.pending !== null) this.#owner.output.send(output);
    return output.window;
  }

  prioritize(priority: Priority): void {
    this.priority = priority;
    const output = this.#output;
    if (output === null) return;
    this.#owner.output.forget(output);
    output.priority = priority;
    if (output.pending !== null) this.#owner.output.send(output);
  }

  /** The stream ends with an error of the client or of this server. */
  reset(code: number): void {
    if (this.#phase === 'over') return;
    this.wasReset = true;
    this.#owner.output.reset(this.id, code);
    this.#stop();
  }

  /** The client takes nothing more: it gave up the stream, or the connection is closed. */
  leave(): void {
    this.clientEnded = true;
    this.#stop();
  }

  #stop(): void {
    if (this.#phase === 'over' || this.#phase === 'abandoned') return;
    const request = this.#request;
    noteLeft(request);
    const { sender } = this;
    this.sender = null;
    if (this.#output !== null) {
      this.#owner.output.forget(this.#output);
      this.#output.discard();
    }
    sender?.cancel();
    if (this.#phase === 'handling' && request !== null) this.#phase = 'abandoned';
    else this.#finish(this.#phase === 'waiting' ? CLIENT_LEFT : this.#status);
    if (request !== null) markGone(request);
    this.#content?.body.fail(new RequestBodyError(0, LEFT));
  }

  /** Whether the client has given up this stream, but the handler is still at work. */
  get isAbandoned(): boolean {
    return this.#phase === 'abandoned';
  }

  /** Whether a response of this stream is being made, or waits for the client. */
  get needsMemory(): boolean {
    return this.#phase === 'handling' || this.#phase === 'abandoned' || this.#output?.pending != null;
  }

  /** Bytes of content that have arrived. */
  get received(): number {
    return this.#content?.body.received ?? 0;
  }

  /** Called once a tick. */
  sweep(): void {
    const step = this.#nextStep;
    if (!this.#clock.isLate(step)) return;
    if (step === 'taking' || this.#isTunnel) this.reset(CANCEL);
    else this.onContentRefused(BODY_TIMEOUT);
  }

  /** What the server waits for the client to do. A tunnel may be silent until this server has ended it. */
  get #nextStep(): 'taking' | 'bringing' | 'nothing' {
    const output = this.#output;
    if (output?.pending != null && (output.window <= 0 || this.#owner.output.isWindowClosed)) return 'taking';
    return this.#content?.body.flowing === true && this.#isTunnel === this.#serverEnded ? 'bringing' : 'nothing';
  }

  /** Answers a client's error. */
  #refuse(refusal: Refusal, request: Request | null): void {
    const { context, peer } = this.#owner;
    context.options.onRefused?.(refusal, request?.peer ?? peer, request);
    this.#phase = 'responding';
    this.#write(refusalResponse(refusal));
  }

  /** The whole response was sent. */
  #end(): void {
    this.sender = null;
    this.#finish(this.#status);
    this.#content?.body.fail(new RequestBodyError(0, LEFT));
  }

  /** The request, until it is answered completely. */
  get openRequest(): OpenRequest | null {
    const request = this.#shown ?? this.#request;
    if (request === null || this.#phase === 'over') return null;
    return { request, isResponding: this.#phase === 'responding', startedAtMs: this.startedAtMs };
  }

  #finish(status: number): void {
    if (this.#phase === 'over') return;
    this.#phase = 'over';
    const request = this.#request;
    request?.trace?.endFlush();
    if (request !== null) this.#reportAnswered(request, status);
    this.#owner.onStreamOver(this);
  }

  #reportAnswered(request: StreamRequest, status: number): void {
    if (this.startedAtMs === 0) return;
    const { onAnswered } = this.#owner.context;
    onAnswered?.(this.#shown ?? request, status, this.#bodyBytes, this.startedAtMs);
  }
}

const NO_TRAILERS: HeaderList = [];
const NO_BYTES = Buffer.alloc(0);
