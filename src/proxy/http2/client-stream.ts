import { CANCEL, PROTOCOL_ERROR, REFUSED_STREAM } from '../../http/http2/frames.ts';
import type { HeaderField } from '../../http/http2/hpack/header-field.ts';
import type { SessionOutput } from '../../http/http2/session-output.ts';
import { type ContentOwner, StreamContent } from '../../http/http2/stream-content.ts';
import type { Request } from '../../http/message.ts';
import type { Refusal } from '../../http/refusal.ts';
import { DEFAULT_LIMITS } from '../../http/transport/limits.ts';
import { NEVER } from '../tick-clock.ts';
import type { ContentSender } from './content-sender.ts';
import { errorName } from './error-name.ts';
import { ResponseBody, type ResponseBodyOwner } from './response-body.ts';
import { CONNECTION_FIELDS, type ResponseSection, type ResponseSectionReader } from './response-section.ts';
import type { StreamUser } from './stream-user.ts';

/** The connection as its streams see it. */
export interface StreamOwner {
  readonly sectionReader: ResponseSectionReader;
  readonly output: SessionOutput;
  /** The head of the response has arrived: calls `deliver` after everything that arrived together with it. */
  onHead(stream: ClientStream): void;
  /** The stream is over. `answered` says whether its response was complete. */
  onStreamOver(stream: ClientStream, answered: boolean): void;
}

const LIMITS = { ...DEFAULT_LIMITS, bodyBytesMax: Number.MAX_SAFE_INTEGER };

/** One request and its response on a connection to a backend (RFC 9113 section 8.1). */
export class ClientStream implements ContentOwner, ResponseBodyOwner {
  readonly id: number;
  readonly user: StreamUser;
  /** The tick at which the stream was started. */
  readonly startedAt: number;
  /** Whether the connection had completed a response before this stream was started. */
  readonly isOnKept: boolean;
  /** Whether anything of the response has arrived. */
  receivedAny = false;
  /** The tick at which `user.timedOut` is called. */
  deadline = NEVER;
  /** What the backend takes of this stream, as long as there is no sender. */
  sendWindow: number;
  /** The sender of the request's content; null before it starts and without content. */
  sender: ContentSender | null = null;
  readonly #method: string;
  readonly #owner: StreamOwner;
  readonly #hasContent: boolean;
  #head: ResponseSection | null = null;
  #delivered = false;
  #content: StreamContent | null = null;
  /** Whether the backend has sent its last frame of this stream. */
  #ended = false;
  #over = false;
  #wasReset = false;

  constructor(
    id: number,
    { method, body }: Request,
    { sendWindow, isOnKept, startedAt }: Pick<ClientStream, 'sendWindow' | 'isOnKept' | 'startedAt'>,
    owner: StreamOwner,
    user: StreamUser,
  ) {
    this.id = id;
    this.#method = method;
    this.#hasContent = body !== null;
    this.sendWindow = sendWindow;
    this.isOnKept = isOnKept;
    this.startedAt = startedAt;
    this.#owner = owner;
    this.user = user;
  }

  // Calls of the connection: what the backend does.

  /** A header section arrived: a head, or trailers. `isCut` says that it had more than `fields` has. */
  readHeaders(fields: readonly HeaderField[], isCut: boolean, endsStream: boolean): void {
    this.receivedAny = true;
    if (this.#ended) this.#fail(AFTER_END);
    else if (this.#head !== null) this.#readTrailers(fields, isCut, endsStream);
    else this.#readFirst(fields, isCut, endsStream);
  }

  #readFirst(fields: readonly HeaderField[], isCut: boolean, endsStream: boolean): void {
    const section = this.#owner.sectionReader.read(fields, isCut);
    if (typeof section === 'string') this.#fail(section);
    else if (section.status < 200) {
      if (endsStream) this.#fail('an interim response ends its stream');
      else this.user.interim(section.status, section.lines);
    } else this.#readHead(section, endsStream);
  }

  #readHead(section: ResponseSection, endsStream: boolean): void {
    const { status, contentLength } = section;
    const hasContent = status !== 204 && status !== 304 && this.#method !== 'HEAD';
    if (endsStream && hasContent && contentLength > 0) {
      this.#fail(SHORTER);
      return;
    }
    this.#head = section;
    this.#ended = endsStream;
    if (hasContent && !endsStream) this.#content = new StreamContent(contentLength, false, LIMITS, this);
    this.#owner.onHead(this);
  }

  #readTrailers(fields: readonly HeaderField[], isCut: boolean, endsStream: boolean): void {
    if (!endsStream) this.#fail('the trailers do not end their stream');
    else if (isCut) this.#fail('the trailer lines are too long');
    else if (fields.some(isNoTrailer)) {
      this.#fail('a trailer field is malformed');
    } else {
      this.#content?.body.readTrailers(fields.flatMap(({ name, value }) => [name, value]));
      if (!this.#over) this.endContent();
    }
  }

  /** DATA starts. `length` counts for flow control. */
  startData(length: number): void {
    this.receivedAny = true;
    if (this.#ended) this.#fail(AFTER_END);
    else if (this.#content?.takeFromWindow(length) === false)
      this.#fail('the content is larger than the window of its stream');
  }

  /** A part of the content arrived. `bytes` are valid only during the call. A response that can have no content is complete without it. */
  receive(bytes: Buffer, start: number, end: number): void {
    const body = this.#content?.body;
    if (this.#over) return;
    if (this.#head === null) this.#fail('content came before the response');
    else if (body !== undefined) {
      if (body.flowing) this.user.contentWanted();
      // What the client gets has to remain valid. What waits for the client is copied by `receive`.
      const own = body.flowing ? Buffer.from(bytes.subarray(start, end)) : null;
      const fits = own === null ? body.receive(bytes, start, end) : body.receive(own, 0, own.length);
      if (!fits) this.#fail('the content is longer than its Content-Length');
    }
  }

  /** The backend has sent everything. */
  endContent(): void {
    if (this.#over) return;
    if (this.#head === null) {
      this.#fail('the stream ended before the response');
      return;
    }
    this.#ended = true;
    if (this.#content?.body.end() === false) this.#fail(SHORTER);
    else if (this.#delivered) this.#finish();
  }

  /** `bytes` of a DATA frame were padding. */
  creditPadding(bytes: number): void {
    this.#content?.onBodyTaken(bytes);
  }

  /** Gives the user the response that has started. */
  deliver(): void {
    const head = this.#head;
    if (this.#over || this.#delivered || head === null) return;
    this.#delivered = true;
    const body = this.#content?.body ?? null;
    const whole = body?.takeWhole() ?? null;
    // A response without content is complete, whether its stream has ended or not.
    if (this.#ended || body === null) this.#end();
    this.user.responded(head, whole ?? (body === null ? null : new ResponseBody(body, this)));
    if (this.#over) this.user.finished();
  }

  /** What follows does not change a response that has arrived completely. */
  #deliverComplete(): void {
    if (this.#ended || this.#content === null) this.deliver();
  }

  /** The backend gave up the stream. */
  onReset(code: number): void {
    this.#wasReset = true;
    this.#deliverComplete();
    if (this.#over) return;
    this.#over = true;
    this.#owner.onStreamOver(this, false);
    if (code === REFUSED_STREAM && this.#head === null) this.user.refused('the backend refused the stream', false);
    else this.user.malformed(`the backend reset the stream with ${errorName(code)}`);
  }

  /** The backend will not process the stream; see `StreamUser.refused`. */
  onRefused(reason: string, tookOthers: boolean): void {
    this.#deliverComplete();
    if (this.#over) return;
    this.#over = true;
    this.#owner.onStreamOver(this, false);
    this.user.refused(reason, tookOthers);
  }

  /** The connection violated the protocol or is closed. A complete response stays valid. */
  onClosed(error: Error | null, reason: string, isViolation: boolean): void {
    this.#deliverComplete();
    if (this.#over) return;
    this.#over = true;
    if (isViolation) this.user.malformed(reason);
    else this.user.closed(error, reason);
  }

  /** The backend takes `bytes` more. Returns the new size of its window. */
  openWindow(bytes: number): number {
    if (this.sender !== null) return this.sender.openWindow(bytes);
    this.sendWindow += bytes;
    return this.sendWindow;
  }

  // Calls of the user.

  /** The user needs the stream no more. */
  abandon(): void {
    if (this.#over) return;
    this.#over = true;
    this.#owner.output.reset(this.id, CANCEL);
    this.#owner.onStreamOver(this, false);
  }

  /** The response will not be complete: its client learns of it. */
  breakContent(error: Error): void {
    this.#content?.body.fail(error);
  }

  // ResponseBodyOwner and ContentOwner: calls of the response's content.

  onWanted(): void {
    if (!this.#over && !this.#ended) this.user.contentWanted();
  }

  onPaused(): void {
    if (!this.#over && !this.#ended) this.user.contentPaused();
  }

  onCancelled(): void {
    if (!this.#over) this.user.finished();
  }

  onContinueWanted(): void {}

  onContentRefused(refusal: Refusal): void {
    this.#fail(refusal.reason);
  }

  /** Nothing to do: the connection's window was opened when the content arrived. */
  creditConnection(): void {}

  creditStream(bytes: number): void {
    if (!this.#over && !this.#ended) this.#owner.output.windowUpdate(this.id, bytes);
  }

  /** The response is complete, after it was delivered. */
  #finish(): void {
    this.#end();
    this.user.finished();
  }

  #end(): void {
    this.#over = true;
    const isSent = !this.#hasContent || this.sender?.complete === true;
    // The backend needs neither the rest of the content nor to send more (RFC 9113 section 8.1).
    if ((!this.#ended || !isSent) && !this.#wasReset) this.#owner.output.reset(this.id, CANCEL);
    this.#owner.onStreamOver(this, true);
  }

  /** The response is malformed (RFC 9113 section 8.1.1). */
  #fail(reason: string): void {
    if (this.#over) return;
    this.#over = true;
    this.#owner.output.reset(this.id, PROTOCOL_ERROR);
    this.#owner.onStreamOver(this, false);
    this.user.malformed(reason);
  }
}

/** Whether a field must not be in a trailer section (RFC 9113 sections 8.1 and 8.2). */
function isNoTrailer({ name, fault }: HeaderField): boolean {
  return fault !== '' || name.startsWith(':') || CONNECTION_FIELDS.has(name);
}

const AFTER_END = 'a frame came after the end of its stream';
const SHORTER = 'the content is shorter than its Content-Length';
