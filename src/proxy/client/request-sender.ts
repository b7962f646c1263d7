import type { BodySink, RequestBody } from '../../http/message.ts';
import type { ContentCoding } from '../../upstream/exchange/dialect.ts';
import type { BackendConnection } from './backend-connection.ts';

/** Who is told how the sending of a request's content goes. */
export interface SenderOwner {
  /** The backend takes no more for now: it must take some in time. */
  sendingBlocked(): void;
  /** It took all that was written. */
  sendingUnblocked(): void;
  /** The whole request is with the socket. */
  sent(): void;
  /** The client's content does not come whole. */
  contentFailed(error: Error): void;
}

/** Sends a request's head and content, and makes the client wait when the backend does not read. */
export class RequestSender implements BodySink {
  readonly #owner: SenderOwner;
  readonly #body: RequestBody;
  readonly #coding: ContentCoding;
  #connection: BackendConnection;
  /** The head, until the first block gives it company. */
  #head: string;
  #state: 'new' | 'flowing' | 'blocked' | 'complete' | 'cancelled' = 'new';
  /** Bytes of content that were taken from the client. */
  #taken = 0;

  constructor(
    owner: SenderOwner,
    body: RequestBody,
    coding: ContentCoding,
    head: string,
    connection: BackendConnection,
  ) {
    this.#owner = owner;
    this.#body = body;
    this.#coding = coding;
    this.#head = head;
    this.#connection = connection;
  }

  get complete(): boolean {
    return this.#state === 'complete';
  }

  /** The client sends, and the backend takes it. */
  get flowing(): boolean {
    return this.#state === 'flowing';
  }

  /** Nothing of the content has left: the request can be sent again. */
  get untouched(): boolean {
    return this.#taken === 0 && !this.complete;
  }

  /** Sends the request. What is there of the content leaves together with the head. */
  start(): void {
    this.#state = 'flowing';
    this.#body.start(this);
    this.#sendHead();
  }

  /** Sends it again over another connection; only while `untouched`. */
  restart(head: string, connection: BackendConnection): void {
    this.#connection = connection;
    connection.socket.write(head, 'latin1');
    if (this.#state === 'blocked') this.onDrain();
  }

  write(block: Uint8Array): void {
    if (this.#state === 'complete' || this.#state === 'cancelled') return;
    this.#taken += block.length;
    if (this.#body.length >= 0 && this.#taken > this.#body.length) {
      this.#fail(new Error('the content is longer than its Content-Length'));
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
      this.#fail(new Error('the content is shorter than its Content-Length'));
      return;
    }
    this.#state = 'complete';
    const rest = this.#head + this.#coding.end(this.#body);
    this.#head = '';
    if (rest !== '') this.#connection.socket.write(rest, 'latin1');
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

  /** Nothing more is sent, nor wanted from the client. */
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

  /** A copy of `block`, framed, behind the head when that has not left. */
  #encode(block: Uint8Array): Buffer {
    const head = this.#head;
    this.#head = '';
    return this.#coding.encode(head, block);
  }
}
