import { type IncomingMessage, ServerResponse } from 'node:http';
import type { BodySink, BodySource } from '../../http/message.ts';
import { Response } from '../../http/response.ts';
import { isHopByHop } from './header-pairs.ts';
import type { BlockReceiver, RequestSocket } from './request-socket.ts';

/** Node's own parts of a response that are reached here: they are the same in all versions, and frameworks rely on them too. */
interface ResponseInternals {
  _header: string;
  _headerSent: boolean;
  _hasBody: boolean;
  _storeHeader(firstLine: string, headers: unknown): void;
  chunkedEncoding: boolean;
}

/** What nginx logs for a client that did not wait. Nobody receives it. */
const CLIENT_GONE = 499;
const NO_BYTES = new Uint8Array(0);
const { _storeHeader: storeHeader } = ServerResponse.prototype as unknown as ResponseInternals;

/** An `http.ServerResponse` whose head and content are passed on in place of being written to a connection. */
export class ResponseCapture implements BlockReceiver, BodySource {
  readonly response: ServerResponse;
  readonly #request: IncomingMessage;
  readonly #socket: RequestSocket;
  readonly #resolve: (response: Response) => void;
  readonly #reject: (error: unknown) => void;
  /** `head`: no content yet; `waiting`: the head has been passed on, nobody has asked for the content. */
  #state: 'head' | 'waiting' | 'flowing' | 'paused' | 'over' = 'head';
  #sink: BodySink | null = null;
  /** A block that waits for room, and who is told then. */
  #block: Buffer | null = null;
  #taken: (() => void) | null = null;
  #outcome: 'open' | 'ended' | Error = 'open';

  constructor(
    request: IncomingMessage,
    socket: RequestSocket,
    resolve: (response: Response) => void,
    reject: (error: unknown) => void,
  ) {
    const response = new ServerResponse(request);
    this.response = response;
    this.#request = request;
    this.#socket = socket;
    this.#resolve = resolve;
    this.#reject = reject;
    // A framework may replace the prototype, so that these must be the object's own.
    Object.assign(response, {
      sendDate: false,
      _storeHeader: storeHeadOnly,
      writeContinue: skipInterim,
      writeProcessing: skipInterim,
      writeEarlyHints: skipInterim,
    });
    socket.receiver = this;
    response.assignSocket(socket);
    socket.on('drain', () => drained(response));
    response.on('prefinish', () => this.#end());
    response.on('finish', () => this.#finished());
    response.on('close', () => this.fail(new Error('Cannot complete a response: the listener destroyed it')));
  }

  /** The listener failed. Nothing when the response is complete. */
  fail(error: unknown): void {
    if (this.#state === 'over' || this.#outcome !== 'open') return;
    const failure = error instanceof Error ? error : new Error(String(error));
    this.#outcome = failure;
    if (this.#state === 'head') {
      this.#state = 'over';
      this.#reject(failure);
    } else if (this.#sink !== null) this.#complete(this.#sink);
    this.response.destroy();
  }

  /** The client has gone. */
  abort(): void {
    if (this.#state === 'over') return;
    if (this.#state === 'head') this.#resolve(Response.text(CLIENT_GONE, ''));
    this.#state = 'over';
    this.#block = null;
    this.#request.destroy(Object.assign(new Error('aborted'), { code: 'ECONNRESET' }));
    this.response.destroy();
  }

  // What the response writes.

  receive(block: Buffer, taken: () => void): void {
    this.#block = block;
    this.#taken = taken;
    if (this.#state === 'head') this.#settle(this.#hasContent() ? this : NO_BYTES);
    if (this.#state === 'over') taken();
    else this.#pass();
  }

  /** All was written; with no content before, this is the response. */
  #end(): void {
    if (this.#outcome === 'open') this.#outcome = 'ended';
    if (this.#state === 'head') this.#settle(NO_BYTES);
    else this.#pass();
  }

  /** The response is closed as that of a connection that ends. */
  #finished(): void {
    if (!this.#request.readableDidRead) this.#request.resume();
    this.#socket.destroy();
  }

  /** Neither HEAD nor 204 and 304 have any (RFC 9110 section 6.4.1), whatever the listener writes. */
  #hasContent(): boolean {
    return (this.response as unknown as ResponseInternals)._hasBody;
  }

  #settle(content: Uint8Array | BodySource): void {
    this.#state = content === this ? 'waiting' : 'over';
    const { response } = this;
    try {
      const { _header: head } = response as unknown as ResponseInternals;
      this.#resolve(Response.fromHeaders(response.statusCode, fieldsOf(head), content, response.statusMessage));
    } catch (error) {
      this.#state = 'over';
      this.#reject(error);
      response.destroy();
    }
  }

  // What the server asks of the content.

  start(sink: BodySink): void {
    this.#sink = sink;
    this.#state = 'flowing';
    if (this.#outcome instanceof Error) this.#complete(sink);
    else this.#pass();
  }

  pause(): void {
    if (this.#state === 'flowing') this.#state = 'paused';
  }

  resume(): void {
    if (this.#state !== 'paused') return;
    this.#state = 'flowing';
    this.#pass();
  }

  cancel(): void {
    this.abort();
  }

  #pass(): void {
    if (!this.#flows()) return;
    const block = this.#block;
    const taken = this.#taken;
    this.#block = null;
    this.#taken = null;
    if (block !== null && block.length > 0) this.#sink?.write(block);
    if (taken !== null) {
      if (this.#state === 'paused') this.#taken = taken;
      else taken();
    }
    const isDone = this.#outcome !== 'open' && this.#block === null && this.response.writableLength === 0;
    if (isDone && this.#flows() && this.#sink !== null) this.#complete(this.#sink);
  }

  #complete(sink: BodySink): void {
    this.#state = 'over';
    if (this.#outcome instanceof Error) sink.fail(this.#outcome);
    else sink.end();
  }

  /** A method, because the sink may pause or cancel while it is written to. */
  #flows(): boolean {
    return this.#state === 'flowing';
  }
}

/** Makes the head as Node does, with all its checks; it is read when the response begins, and never written among the content. */
function storeHeadOnly(this: ResponseInternals, firstLine: string, headers: unknown): void {
  storeHeader.call(this, firstLine, headers);
  this._headerSent = true;
  this.chunkedEncoding = false;
}

/** Interim responses are the server's. The last argument is told that it was sent. */
function skipInterim(...rest: unknown[]): void {
  const told = rest.at(-1);
  if (typeof told === 'function') process.nextTick(told as () => void);
}

/** The fields of a head that Node has made, but those of the connection. */
function fieldsOf(head: string): string[] {
  const fields: string[] = [];
  for (const line of head.split('\r\n').slice(1)) {
    const colon = line.indexOf(':');
    if (colon < 1) continue;
    const name = line.slice(0, colon);
    if (!isHopByHop(name)) fields.push(name, line.slice(colon + 1).trim());
  }
  return fields;
}

let needsDrain: symbol | undefined;

/** What Node's server does when its socket has drained. The mark that a response needs that is a symbol of Node's own. */
function drained(response: ServerResponse): void {
  if (response.writableEnded) return;
  needsDrain ??= Object.getOwnPropertySymbols(response).find(({ description }) => description === 'kNeedDrain');
  if (needsDrain !== undefined) Object.assign(response, { [needsDrain]: false });
  response.emit('drain');
}
