import type { BodySource, Request } from '../../http/message.ts';
import { refuse } from '../../http/request-record.ts';
import { Response } from '../../http/response.ts';
import { isIdempotent } from '../../http/semantics/idempotent.ts';
import { BackendRequest, REFUSES_CONTENT } from '../client/backend-request.ts';
import { headTooLargeResponse } from '../client/error-responses.ts';
import { describeClosing } from '../failure.ts';
import { RepeatableContent } from '../repeatable-content.ts';
import { NEVER } from '../tick-clock.ts';
import type { Upstream } from '../upstream.ts';
import type { ClientConnection, ConnectionUser } from './client-connection.ts';
import type { ClientStream } from './client-stream.ts';
import { ContentSender } from './content-sender.ts';
import type { Http2RequestContext } from './http2-request-context.ts';
import type { ResponseSection } from './response-section.ts';
import type { StreamUser } from './stream-user.ts';

/** How often a request is sent to the same backend again, when each connection ends before it is this request's turn. */
const REFUSALS_MAX = 16;

/** One request to one backend, on a stream of a connection that it shares with others. */
export class Http2Request extends BackendRequest<Http2RequestContext> implements ConnectionUser, StreamUser {
  readonly isRepeatable: boolean;
  #stream: ClientStream | null = null;
  #retried = false;
  #refusals = 0;
  #released = false;

  constructor(client: Http2RequestContext, request: Request, tried: readonly Upstream[]) {
    super(client, request, tried);
    this.isRepeatable = request.body === null && isIdempotent(request.method);
  }

  protected connect(): void {
    this.client.pool.place(this);
  }

  // ConnectionUser

  connected(connection: ClientConnection): void {
    if (this.phase !== 'connect') return;
    const request = this.request;
    const { body } = request;
    const fields = this.client.fields.of(request);
    if (!connection.accepts(fields)) {
      this.phase = 'over';
      const tooLarge = headTooLargeResponse('the fields are larger than the backend accepts');
      this.answer(refuse(request, 'fields too large for the backend', tooLarge));
      this.release();
      return;
    }
    this.phase = 'response';
    this.trace?.connected(fields.flatMap(({ name, value }) => [name, value]));
    const stream = connection.open(request, fields, this);
    this.#stream = stream;
    if (body === null) {
      this.trace?.sent();
      this.setDeadline(this.client.responseTicks);
    } else {
      stream.sender = new ContentSender(stream, body, request.headers, this, connection.output);
      stream.sender.start();
    }
  }

  connectFailed(reason: string, status: 502 | 504): void {
    if (this.phase === 'connect') this.fail('connect', reason, status, true);
  }

  // StreamUser

  interim(status: number, lines: string): void {
    if (this.phase === 'response') this.passInterim(status, lines);
  }

  responded(section: ResponseSection, body: Uint8Array | BodySource | null): void {
    if (this.phase !== 'response') return;
    const { status, lines, contentLength, has } = section;
    if (this.client.owner.responded(status, this.request, this.tried)) {
      this.fail('response', `it answered ${status}`);
      return;
    }
    this.trace?.responded(status, lines);
    if (status >= REFUSES_CONTENT) this.#stream?.sender?.cancel();
    const { body: sent } = this.request;
    if (sent instanceof RepeatableContent) sent.forget();
    this.phase = 'content';
    this.clearDeadline();
    this.answer(new Response(status, '', lines, contentLength, has, body));
  }

  contentPaused(): void {
    this.clearDeadline();
  }

  finished(): void {
    if (this.phase === 'over') return;
    this.measure();
    this.abandon();
    this.release();
  }

  refused(reason: string, tookOthers: boolean): void {
    if (this.phase !== 'response') {
      this.malformed(reason);
      return;
    }
    const isUnsent = this.#takeBack();
    this.#refusals += 1;
    if (isUnsent && this.#refusals <= (tookOthers ? REFUSALS_MAX : 1)) this.#retry();
    else this.fail('response', reason, 502, isUnsent);
  }

  closed(error: Error | null, reason: string): void {
    if (this.phase === 'content') this.breakOff(reason || describeClosing(error, 'within the content'));
    else if (this.#canRetry() && this.#takeBack()) this.#retry();
    else this.fail('response', reason || describeClosing(error, 'before the response'));
  }

  protected setDeadline(ticks: number): void {
    if (this.#stream !== null) this.#stream.deadline = this.client.clock.tick + ticks;
  }

  protected clearDeadline(): void {
    if (this.#stream !== null) this.#stream.deadline = NEVER;
  }

  /**
   * Whether the backend closed a kept connection before it saw the request. Then one retry over a new connection is
   * safe.
   */
  #canRetry(): boolean {
    const stream = this.#stream;
    if (stream === null || !stream.isOnKept || stream.receivedAny || this.#retried) return false;
    return (stream.sender === null || stream.sender.untouched) && isIdempotent(this.request.method);
  }

  /** Takes the content back from the stream. Returns whether the request can be sent again. */
  #takeBack(): boolean {
    const { body } = this.request;
    this.#stream?.sender?.detach();
    return body === null || (body instanceof RepeatableContent && body.rewind());
  }

  #retry(): void {
    this.#retried = true;
    this.phase = 'connect';
    this.#stream = null;
    this.client.pool.place(this);
  }

  /** Ends the stream without further notifications. */
  protected abandon(): void {
    if (this.phase === 'connect') this.client.pool.leave(this);
    this.trace?.over();
    this.phase = 'over';
    this.#stream?.sender?.cancel();
    this.#stream?.abandon();
  }

  /** The backend has room for another request. */
  protected release(): void {
    if (this.#released) return;
    this.#released = true;
    this.client.onOver();
  }

  protected failContent(error: Error): void {
    this.#stream?.breakContent(error);
  }

  protected get sender(): ContentSender | null {
    return this.#stream?.sender ?? null;
  }
}
