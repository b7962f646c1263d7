import { FRAME_BYTES_MAX } from '../../http/http2/frames.ts';
import { NO_PRIORITY } from '../../http/http2/priority.ts';
import type { QueuedOutput } from '../../http/http2/send-queue.ts';
import type { SessionOutput } from '../../http/http2/session-output.ts';
import type { BodySink, HeaderList, RequestBody } from '../../http/message.ts';
import { RequestBodyError } from '../../http/refusal.ts';
import { trailersBeside } from '../../http/semantics/trailers.ts';
import type { SenderOwner } from '../client/request-sender.ts';

/** Sends a request's content on a stream. When the backend takes no more, the client has to wait. */
export class ContentSender implements BodySink, QueuedOutput {
  readonly id: number;
  readonly priority = NO_PRIORITY;
  readonly endsStream = false;
  /** What the backend takes of this stream (RFC 9113 section 6.9). It may be negative. */
  window: number;
  queued = false;
  pending: Uint8Array | null = null;
  at = 0;
  readonly #owner: SenderOwner;
  readonly #output: SessionOutput;
  readonly #body: RequestBody;
  readonly #headers: HeaderList;
  #state: 'flowing' | 'blocked' | 'complete' | 'cancelled' = 'flowing';
  /** Blocks behind `pending`, which the client sent before it learned that it has to wait. */
  #later: Buffer[] = [];
  /** Bytes of content received from the client. */
  #taken = 0;
  #ended = false;

  constructor(
    stream: { readonly id: number; readonly sendWindow: number },
    body: RequestBody,
    headers: HeaderList,
    owner: SenderOwner,
    output: SessionOutput,
  ) {
    this.id = stream.id;
    this.window = stream.sendWindow;
    this.#owner = owner;
    this.#output = output;
    this.#body = body;
    this.#headers = headers;
  }

  get complete(): boolean {
    return this.#state === 'complete';
  }

  /** The client is sending and the backend accepts its content. */
  get flowing(): boolean {
    return this.#state === 'flowing';
  }

  /** No content was sent. */
  get untouched(): boolean {
    return this.#taken === 0 && !this.complete;
  }

  start(): void {
    this.#body.start(this);
  }

  write(block: Uint8Array): void {
    if (this.#isOver) return;
    const { length } = block;
    this.#taken += length;
    if (this.#body.length >= 0 && this.#taken > this.#body.length) {
      this.#fail(new RequestBodyError(400, 'the content is longer than its Content-Length'));
      return;
    }
    if (length === 0) return;
    if (this.pending !== null) this.#later.push(Buffer.from(block));
    else if (length <= FRAME_BYTES_MAX && length <= this.window && this.#output.takesNow(length)) {
      this.window -= length;
      this.#output.content(this.id, block, false);
    } else this.#send(block);
    if (this.pending === null || this.#state !== 'flowing') return;
    this.#state = 'blocked';
    this.#body.pause();
    this.#owner.sendingBlocked();
  }

  end(): void {
    if (this.#isOver) return;
    if (this.#body.length >= 0 && this.#taken < this.#body.length) {
      this.#fail(new RequestBodyError(400, 'the content is shorter than its Content-Length'));
      return;
    }
    this.#ended = true;
    if (this.pending === null) this.#complete();
  }

  fail(error: Error): void {
    if (this.#isOver) return;
    this.#stop();
    this.#owner.contentFailed(error);
  }

  /** The backend takes `bytes` more. Returns the new size of its window. */
  openWindow(bytes: number): number {
    this.window += bytes;
    if (this.pending !== null) this.#output.send(this);
    return this.window;
  }

  sent(bytes: number): void {
    this.at += bytes;
    this.window -= bytes;
    if (this.at < (this.pending as Uint8Array).length) {
      if (this.#state === 'blocked') this.#owner.sendingBlocked(); // from now on the backend has its full time again
      return;
    }
    this.at = 0;
    this.pending = this.#later.shift() ?? null;
    if (this.pending !== null) this.#output.send(this);
    else if (this.#ended) this.#complete();
    else if (this.#state === 'blocked') {
      this.#state = 'flowing';
      this.#owner.sendingUnblocked();
      this.#body.resume();
    }
  }

  /** Stops sending and stops receiving content from the client. */
  cancel(): void {
    if (this.#isOver) return;
    this.#stop();
    this.#body.cancel();
  }

  /** Stops sending. Somebody else sends the content. */
  detach(): void {
    if (!this.#isOver) this.#stop();
    this.#state = 'cancelled';
  }

  get #isOver(): boolean {
    return this.#state === 'complete' || this.#state === 'cancelled';
  }

  /** Sends as much of `block` as the backend takes now, and keeps a copy of the rest. */
  #send(block: Uint8Array): void {
    this.pending = block;
    this.at = 0;
    this.#output.send(this);
    if (this.pending !== block) return;
    this.pending = Buffer.from(block.subarray(this.at));
    this.at = 0;
  }

  #complete(): void {
    this.#state = 'complete';
    this.#output.end(this.id, trailersBeside(this.#headers, this.#body.trailers));
    this.#owner.sent();
  }

  #fail(error: Error): void {
    this.cancel();
    this.#owner.contentFailed(error);
  }

  #stop(): void {
    this.#state = 'cancelled';
    this.#output.forget(this);
    this.pending = null;
    this.#later = [];
  }
}
