import type { Socket } from 'node:net';
import { CR, LF } from './bytes.ts';
import type { Connections } from './connections.ts';
import { httpDate } from './date.ts';
import { type Framing, frame, framed, isFile } from './framing.ts';
import { type BodyConnection, IncomingBody } from './incoming-body.ts';
import type { Peer, ResponseBody } from './message.ts';
import { Refusal, refusal } from './refusal.ts';
import { acceptHead, type IncomingRequest } from './request.ts';
import { INCOMPLETE, PARSED } from './request-head.ts';
import { Response } from './response.ts';
import { BytesSender, FileSender, type Sender, StreamSender } from './sender.ts';

/**
 * What a connection is doing. `idle`: between requests. `head`: part of a head is here. `handling`: a request is with its
 * handler. `responding`: its response is being written. `closing`: everything is written, and the client may still be reading.
 * `tunnel`: somebody else uses the socket.
 */
type Phase = 'idle' | 'head' | 'handling' | 'responding' | 'closing' | 'tunnel' | 'closed';

/** A socket that was taken over after an upgrade. What the client sends comes by `onBytes`, valid only during the call. */
export interface Tunnel {
  readonly socket: Socket;
  onBytes: (bytes: Buffer) => void;
}

/**
 * One client's socket. A request is answered before the next one is read, so pipelined requests wait in `#kept`, in order:
 *
 *     receive → #read → #readHead → #dispatch → handler … #respond → #finish → #read
 *
 * `#request`, `#body`, `#sender` and `#status` belong to one exchange; everything else lives as long as the connection.
 */
export class Connection implements BodyConnection, Peer {
  readonly listener: number;
  readonly secure = false;
  readonly #socket: Socket;
  readonly #all: Connections;
  #phase: Phase = 'idle';
  /** Bytes that came and were not read yet, in memory of their own. */
  #kept: Buffer | null = null;
  /** What is being read now, and how far; null between packets. */
  #input: Buffer | null = null;
  #at = 0;
  #flowing = true;
  #deadlineMs: number;
  #address: string | null = null;
  #request: IncomingRequest | null = null;
  #body: IncomingBody | null = null;
  #sender: Sender | null = null;
  #status = 0;
  #keepAlive = true;
  #inputEnded = false;
  #probed = false;
  #startedMs = 0;
  /** For the write timeout: how much the client had taken at the last look, and since when. */
  #takenBytes = -1;
  #takenMs = 0;
  #tunnel: Tunnel | null = null;
  #onResponse: ((response: Response) => void) | null = null;
  #onFailure: ((error: unknown) => void) | null = null;

  constructor(socket: Socket, all: Connections, listener: number) {
    this.#socket = socket;
    this.#all = all;
    this.listener = listener;
    this.#deadlineMs = all.nowMs + all.options.limits.headerTimeoutMs;
  }

  get remoteAddress(): string {
    this.#address ??= this.#socket.remoteAddress ?? '';
    return this.#address;
  }

  get remotePort(): number {
    return this.#socket.remotePort ?? 0;
  }

  /** Bytes came. They are valid only during this call. */
  receive(bytes: Buffer): void {
    const kept = this.#kept;
    if (kept === null) {
      this.#read(bytes);
      return;
    }
    this.#kept = Buffer.concat([kept, bytes]);
    // Part of a line is only looked at when the line is complete or too long: no sender of single bytes costs more than that.
    const wait = this.#phase === 'head' && this.#kept.length < PARTIAL_LINE_BYTES_MAX && !bytes.includes(LF);
    if (!wait) this.#readKept();
  }

  /** The client has sent its FIN: it may still want its answer (RFC 9112 section 9.6). */
  inputEnded(): void {
    this.#inputEnded = true;
    if (this.#phase === 'head' || (this.#phase === 'idle' && this.#kept === null)) this.#close();
    else if (this.#phase === 'closing') this.destroy();
    else if (this.#body !== null && !this.#body.complete) this.destroy();
  }

  /** The socket has room again. */
  drained(): void {
    this.#sender?.drained();
    if (this.#phase === 'idle') this.#readKept();
  }

  closed(): void {
    this.#phase = 'closed';
    this.#kept = null;
    this.#all.remove(this);
    this.#abandon(new Error('The client left'));
  }

  /** No further request is taken. */
  drain(): void {
    if (this.#phase === 'idle') this.#close();
    else this.#keepAlive = false;
  }

  destroy(): void {
    this.#socket.destroy();
  }

  /** Called by the timer: ends what takes too long. */
  sweep(nowMs: number): void {
    if (this.#socket.writableLength > 0) {
      this.#sweepWriting(nowMs);
      return;
    }
    this.#takenBytes = -1;
    if (this.#phase === 'handling' && this.#inputEnded) this.#probe();
    if (nowMs < this.#deadlineMs) return;
    if (this.#phase === 'idle') this.#close();
    else if (this.#phase === 'head') this.#refuse(408);
    else if (this.#phase === 'closing') this.destroy();
    else if (this.#body?.open === true) this.#refuse(408);
  }

  bodyWanted(): void {
    const request = this.#request as IncomingRequest;
    this.#touchBody();
    const coming = this.#kept !== null || (this.#input !== null && this.#at < this.#input.length);
    // RFC 9110 section 10.1.1: nobody needs to be asked for what is coming already.
    if (request.expectsContinue && !coming) this.#socket.write(CONTINUE, 'latin1');
    this.#readKept();
    this.#regulate();
  }

  pauseReading(): void {
    if (this.#input === null) this.#regulate();
  }

  resumeReading(): void {
    this.#touchBody();
    this.#readKept();
    this.#regulate();
  }

  #readKept(): void {
    const kept = this.#kept;
    if (kept === null || this.#input !== null) return;
    this.#kept = null;
    this.#read(kept);
  }

  /** Reads as many requests as can be read now, and keeps the rest. */
  #read(bytes: Buffer): void {
    this.#input = bytes;
    this.#at = 0;
    while (this.#at < bytes.length && this.#step(bytes)) {}
    this.#input = null;
    if (this.#at < bytes.length && this.#phase !== 'closing' && this.#phase !== 'closed') {
      this.#kept = Buffer.from(bytes.subarray(this.#at));
    }
    if (this.#inputEnded && this.#phase === 'head') this.#close();
    this.#regulate();
  }

  /** Reads a head or part of a body. False when nothing can be read now. */
  #step(bytes: Buffer): boolean {
    if (this.#phase === 'idle' || this.#phase === 'head') {
      return !this.#socket.writableNeedDrain && this.#readHead(bytes);
    }
    if (this.#phase === 'tunnel') {
      this.#tunnel?.onBytes(bytes.subarray(this.#at));
      this.#at = bytes.length;
      return false;
    }
    return this.#body?.open === true && this.#readBody(bytes, this.#body);
  }

  #readHead(bytes: Buffer): boolean {
    // RFC 9112 section 2.2: one empty line before a request is overlooked.
    const start = bytes[this.#at] === CR && (bytes[this.#at + 1] ?? LF) === LF ? this.#at + 2 : this.#at;
    const { parser, options, nowMs } = this.#all;
    const result = start < bytes.length ? parser.parse(bytes, start) : INCOMPLETE;
    if (result === INCOMPLETE) {
      if (this.#phase === 'idle') this.#deadlineMs = nowMs + options.limits.headerTimeoutMs;
      this.#phase = 'head';
      return false;
    }
    const request = result === PARSED ? acceptHead(parser, this, options.limits.bodyBytesMax) : result;
    if (typeof request === 'number') {
      this.#refuse(request);
      return false;
    }
    this.#at = parser.end;
    this.#dispatch(request);
    return true;
  }

  #readBody(bytes: Buffer, body: IncomingBody): boolean {
    const at = body.read(bytes, this.#at);
    if (at < 0) {
      this.#refuse(-at);
      return false;
    }
    this.#at = at;
    this.#touchBody();
    return true;
  }

  #dispatch(request: IncomingRequest): void {
    const { options, draining } = this.#all;
    this.#phase = 'handling';
    this.#request = request;
    this.#keepAlive = request.keepAlive && !draining;
    if (request.contentLength !== 0) {
      this.#body = new IncomingBody(request.contentLength, options.limits, this);
      request.body = this.#body;
    }
    if (options.onAnswered !== null) this.#startedMs = performance.now();
    if (request.wantsUpgrade && options.onUpgrade !== undefined && this.#upgrade(request)) return;
    try {
      const result = options.handle(request);
      if (result instanceof Response) this.#respond(result);
      else {
        this.#onResponse ??= (response) => this.#respond(response);
        this.#onFailure ??= (error) => this.#fail(error);
        result.then(this.#onResponse, this.#onFailure);
      }
    } catch (error) {
      this.#fail(error);
    }
  }

  #upgrade(request: IncomingRequest): boolean {
    const tunnel: Tunnel = { socket: this.#socket, onBytes: ignore };
    if (this.#all.options.onUpgrade?.(request, tunnel) !== true) return false;
    this.#phase = 'tunnel';
    this.#tunnel = tunnel;
    this.#request = null;
    return true;
  }

  /** The handler failed. When the request is over already, its failure is no news: it was told why. */
  #fail(error: unknown): void {
    if (this.#request === null) return;
    this.#all.options.onError(error, this.#request);
    if (this.#phase === 'handling') this.#respond(Response.text(500, 'Internal Server Error\n'));
    else if (this.#phase === 'responding') this.destroy();
  }

  /** Writes the response, or begins to. One that comes too late is thrown away. */
  #respond(response: Response): void {
    const request = this.#request;
    if (this.#phase !== 'handling' || request === null) {
      discard(response.body);
      return;
    }
    this.#phase = 'responding';
    this.#status = response.status;
    if (this.#body !== null && !this.#body.complete) this.#skipBody(this.#body);
    const { minorVersion } = request;
    const connection = this.#keepAlive && !this.#all.draining ? (minorVersion === 1 ? '' : KEEP_ALIVE) : CLOSE;
    frame(response, request.method === 'HEAD', minorVersion, connection, httpDate(Date.now()));
    if (connection === CLOSE || framed.framing === 'until-close') this.#keepAlive = false;
    this.#write(framed.head, response.body, framed.framing, framed.length);
  }

  #write(head: string, body: ResponseBody, framing: Framing, length: number): void {
    const socket = this.#socket;
    if (body === null || framing === 'none') {
      socket.write(head, 'latin1');
      discard(body);
      this.#finish(0, body === null && framing === 'length' && length > 0 ? shortfall(0, length) : null);
    } else if (body instanceof Uint8Array) {
      const bytes = body.length > length && framing === 'length' ? body.subarray(0, length) : body;
      if (bytes !== body) this.#all.options.onError(excess(body.length, length), this.#request);
      const missing = bytes.length < length ? shortfall(bytes.length, length) : null;
      if (bytes.length <= COPY_BYTES_MAX) {
        socket.write(join(head, bytes));
        this.#finish(bytes.length, missing);
      } else {
        socket.write(head, 'latin1');
        this.#send(new BytesSender(socket, bytes, (sent) => this.#finish(sent, missing)));
      }
    } else {
      socket.write(head, 'latin1');
      if (isFile(body)) this.#send(new FileSender(socket, body, length, (sent, error) => this.#finish(sent, error)));
      else {
        const sender = new StreamSender(socket, body, framing === 'chunked', length, (sent, error) =>
          this.#finish(sent, error),
        );
        this.#sender = sender;
        body.start(sender);
      }
    }
  }

  #send(sender: BytesSender | FileSender): void {
    this.#sender = sender;
    sender.start();
  }

  /** The response is with the socket, or `error` says why it breaks off. */
  #finish(bodyBytes: number, error: Error | null): void {
    if (this.#phase !== 'responding') return;
    const request = this.#request as IncomingRequest;
    this.#report(request, bodyBytes);
    this.#request = null;
    this.#body = null;
    this.#sender = null;
    if (error !== null) {
      this.#all.options.onError(error, request);
      this.#breakOff();
    } else if (!this.#keepAlive) this.#close();
    else {
      this.#phase = 'idle';
      this.#probed = false;
      this.#deadlineMs = this.#all.nowMs + this.#all.options.limits.keepAliveTimeoutMs;
      if (this.#input === null) this.#readKept();
      if (this.#inputEnded && this.#phase === 'idle' && this.#kept === null && this.#input === null) this.#close();
    }
  }

  /** What was written still goes out, but the response stays visibly incomplete. */
  #breakOff(): void {
    this.#phase = 'closing';
    if (this.#socket.writableLength === 0) this.destroy();
    else this.#socket.end(() => this.destroy());
  }

  /** Reads what is already here of a body that nobody wants; when that is not all of it the connection cannot live on. */
  #skipBody(body: IncomingBody): void {
    body.cancel();
    if (this.#input !== null) {
      if (body.open && this.#at < this.#input.length) this.#at = Math.max(this.#at, body.read(this.#input, this.#at));
    } else this.#readKept();
    if (!body.complete) this.#keepAlive = false;
  }

  /** Answers a client's mistake and closes. */
  #refuse(status: number): void {
    const answer = this.#phase !== 'responding';
    this.#phase = 'closing';
    if (this.#request !== null) this.#status = status;
    this.#abandon(new Refusal(status));
    if (answer) this.#socket.write(refusal(status, httpDate(Date.now())), 'latin1');
    this.#close();
  }

  /** Nobody waits for the current response any more. */
  #abandon(error: Error): void {
    const request = this.#request;
    if (request === null) return;
    this.#request = null;
    this.#report(request, 0);
    this.#sender?.cancel();
    this.#sender = null;
    request.gone = true;
    const body = this.#body;
    this.#body = null;
    body?.fail(error);
    request.onGone?.();
  }

  /** Sends FIN, and gives the client time to read what it was sent (RFC 9112 section 9.6). */
  #close(): void {
    this.#phase = 'closing';
    this.#kept = null;
    this.#deadlineMs = this.#all.nowMs + LINGER_MS;
    this.#socket.end();
    this.#regulate();
  }

  /**
   * A client that left altogether and one that only closed its sending half look the same. Any client has to accept an interim
   * response (RFC 9110 section 15.2); a system whose process is gone answers it with RST, which closes the socket.
   */
  #probe(): void {
    if (this.#probed || this.#request?.minorVersion !== 1) return;
    this.#probed = true;
    this.#socket.write(CONTINUE, 'latin1');
  }

  #sweepWriting(nowMs: number): void {
    const taken = this.#socket.bytesWritten - this.#socket.writableLength;
    if (taken !== this.#takenBytes) {
      this.#takenBytes = taken;
      this.#takenMs = nowMs;
    } else if (nowMs - this.#takenMs > this.#all.options.limits.writeTimeoutMs) this.destroy();
  }

  #touchBody(): void {
    this.#deadlineMs = this.#all.nowMs + this.#all.options.limits.bodyTimeoutMs;
  }

  /** Stops reading while nobody can take what comes. */
  #regulate(): void {
    const full = this.#kept !== null && this.#kept.length >= KEPT_BYTES_MAX && this.#phase !== 'head';
    const flowing = this.#body?.state !== 'paused' && !full;
    if (flowing === this.#flowing || this.#phase === 'closed') return;
    this.#flowing = flowing;
    if (flowing) this.#socket.resume();
    else this.#socket.pause();
  }

  #report(request: IncomingRequest, bodyBytes: number): void {
    this.#all.options.onAnswered?.(
      request,
      this.#status === 0 ? CLIENT_LEFT : this.#status,
      bodyBytes,
      this.#startedMs,
    );
    this.#status = 0;
  }
}

const CONTINUE = 'HTTP/1.1 100 Continue\r\n\r\n';
const KEEP_ALIVE = 'Connection: keep-alive\r\n';
const CLOSE = 'Connection: close\r\n';
/** What logs call a request whose client did not wait (nginx). */
const CLIENT_LEFT = 499;
/** How long a client may go on reading after the last byte was sent. */
const LINGER_MS = 2000;
/** Pipelined requests and unwanted content wait up to this, then the socket is no longer read. */
const KEPT_BYTES_MAX = 65_536;
const PARTIAL_LINE_BYTES_MAX = 8192;
/** Bodies up to this are copied behind their head, to be written at once. */
const COPY_BYTES_MAX = 16_384;

function join(head: string, body: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(head.length + body.length);
  bytes.write(head, 0, 'latin1');
  bytes.set(body, head.length);
  return bytes;
}

/** Frees what a body holds that will not be sent. */
function discard(body: ResponseBody): void {
  if (body === null || body instanceof Uint8Array) return;
  if (isFile(body)) body.release();
  else body.cancel();
}

function shortfall(sent: number, length: number): Error {
  return new Error(`Cannot complete a response: ${sent} of ${length} bytes came`);
}

function excess(sent: number, length: number): Error {
  return new Error(`Cannot send ${sent} bytes in a response of ${length}: the rest is cut`);
}

function ignore(): void {}
