import type { BodySink, HeaderList, RequestBody } from '../../http/message.ts';
import { RequestBodyError } from '../../http/refusal.ts';
import type { BackendConnection } from './backend-connection.ts';
import type { ContentCoding } from './transport.ts';

/** Receives events while a request's content is sent. */
export interface SenderOwner {
  /** The backend accepts no more at the moment; a deadline must start. */
  sendingBlocked(): void;
  /** The backend accepted everything that was written. */
  sendingUnblocked(): void;
  /** The socket has taken the whole request. */
  sent(): void;
  /** Receiving the content from the client failed. */
  contentFailed(error: Error): void;
}

/** Sends a request's head and content. When the backend does not read, the client has to wait. */
export class RequestSender implements BodySink {
  readonly #owner: SenderOwner;
  readonly #body: RequestBody;
  readonly #headers: HeaderList;
  readonly #coding: ContentCoding;
  #connection: BackendConnection;
  /** The head, until it is sent, usually together with the first block. */
  #head: string;
  #state: 'new' | 'flowing' | 'blocked' | 'complete' | 'cancelled' = 'new';
  /** Bytes of content received from the client. */
  #taken = 0;

  constructor(
    owner: SenderOwner,
    body: RequestBody,
    headers: HeaderList,
    coding: ContentCoding,
    head: string,
    connection: BackendConnection,
  ) {
    this.#owner = owner;
    this.#body = body;
    this.#headers = headers;
    this.#coding = coding;
    this.#head = head;
    this.#connection = connection;
  }

  get complete(): boolean {
    return this.#state === 'complete';
  }

  /** The client is sending and the backend accepts its content. */
  get flowing(): boolean {
    return this.#state === 'flowing';
  }

  /** No content was sent, so the request can be sent again. */
  get untouched(): boolean {
    return this.#taken === 0 && !this.complete;
  }

  /** Sends the request. Content that is already available is sent together with the head. */
  start(): void {
    this.#state = 'flowing';
    this.#body.start(this);
    this.#sendHead();
  }

  /** Sends the head again over another connection. Allowed only while `untouched`. */
  restart(head: string, connection: BackendConnection): void {
    this.#connection = connection;
    connection.socket.write(head, 'latin1');
    if (this.#state === 'blocked') this.onDrain();
  }

  write(block: Uint8Array): void {
    if (this.#state === 'complete' || this.#state === 'cancelled') return;
    this.#taken += block.length;
    if (this.#body.length >= 0 && this.#taken > this.#body.length) {
      this.#fail(new RequestBodyError(400, 'the content is longer than its Content-Length'));
      return;
    }
    if (this.#connection.socket.write(this.#encode(block)) || this.#state !== 'flowing') return;
    this.#state = 'blocked';
    this.#body.pause();
    this.#owner.sendingBlocked();
  }

  end(): void {
    if (this.#state === 'complete' || this.#state === 'cancelled') return;
    if (this.#body.length >= 0 && this.#taken < this.#body.length) {
      this.#fail(new RequestBodyError(400, 'the content is shorter than its Content-Length'));
      return;
    }
    this.#state = 'complete';
    const tail = this.#head + this.#coding.end(this.#body, this.#headers);
    this.#head = '';
    if (tail !== '') this.#connection.socket.write(tail, 'latin1');
    this.#owner.sent();
  }

  fail(error: Error): void {
    if (this.#state === 'complete' || this.#state === 'cancelled') return;
    this.#state = 'cancelled';
    this.#owner.contentFailed(error);
  }

  onDrain(): void {
    if (this.#state !== 'blocked') return;
    this.#state = 'flowing';
    this.#owner.sendingUnblocked();
    this.#body.resume();
  }

  /** Stops sending and stops receiving content from the client. */
  cancel(): void {
    if (this.#state === 'complete' || this.#state === 'cancelled') return;
    this.#state = 'cancelled';
    this.#body.cancel();
  }

  #fail(error: Error): void {
    this.cancel();
    this.#owner.contentFailed(error);
  }

  #sendHead(): void {
    if (this.#head === '') return;
    this.#connection.socket.write(this.#head, 'latin1');
    this.#head = '';
  }

  /** Encodes `block` into new memory, with the head in front unless the head was already sent. */
  #encode(block: Uint8Array): Buffer {
    const head = this.#head;
    this.#head = '';
    return this.#coding.encode(head, block);
  }
}
