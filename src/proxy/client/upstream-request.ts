import type { Request } from '../../http/message.ts';
import { Refusal } from '../../http/refusal.ts';
import { refuse } from '../../http/request-record.ts';
import { Response } from '../../http/response.ts';
import { isIdempotent } from '../../http/semantics/idempotent.ts';
import { describeClosing, describeFailure } from '../failure.ts';
import { requestedUpgrade } from '../http1/request-heads.ts';
import type { Upstream } from '../upstream.ts';
import type { BackendConnection, ConnectionUser } from './backend-connection.ts';
import { BackendRequest, REFUSES_CONTENT } from './backend-request.ts';
import { headTooLargeResponse } from './error-responses.ts';
import { receiveBody } from './receive-body.ts';
import { RequestSender } from './request-sender.ts';
import { type ContentOwner, ResponseContent } from './response-content.ts';
import { includesProtocol, openTunnel } from './tunnel.ts';
import type { UpstreamRequestContext } from './upstream-request-context.ts';

/** One request to one backend, over a connection of its own. */
export class UpstreamRequest extends BackendRequest<UpstreamRequestContext> implements ConnectionUser, ContentOwner {
  readonly #upgrade: string;
  #connection: BackendConnection | null = null;
  protected sender: RequestSender | null = null;
  #content: ResponseContent | null = null;
  #retried = false;
  #receivedAny = false;

  constructor(client: UpstreamRequestContext, request: Request, tried: readonly Upstream[]) {
    super(client, request, tried);
    this.#upgrade = requestedUpgrade(request);
  }

  protected connect(): void {
    const { request } = this;
    const connection = this.client.pool.take(this, request.body === null && isIdempotent(request.method));
    if (connection === null) this.#connection = this.client.pool.open(this);
    else this.#send(connection);
  }

  // ConnectionUser

  connected(): void {
    if (this.phase === 'connect' && this.#connection !== null) this.#send(this.#connection);
  }

  received(): void {
    this.#receivedAny = true;
    if (this.phase === 'response') this.#readHeads();
    else if (this.phase === 'content') this.#content?.feed();
  }

  ended(): void {
    if (this.phase === 'content' && this.#endsContent()) return;
    this.#connection?.destroy();
  }

  drained(): void {
    this.sender?.onDrain();
  }

  closed(error: Error | null): void {
    switch (this.phase) {
      case 'connect':
        this.fail('connect', describeFailure(error), 502, this.sender === null);
        break;
      case 'response':
        if (this.#isOnKept && this.#connection !== null) this.client.pool.closedAfterUse(this.#connection);
        if (this.#canRetry()) this.#retry();
        else this.fail('response', describeClosing(error, 'before the response'));
        break;
      case 'content':
        if (error === null && this.#endsContent()) break;
        this.breakOff(describeClosing(error, 'within the content'));
        break;
    }
  }

  // ContentOwner

  contentOver(): void {
    this.#finish();
  }

  contentBroken(reason: string): void {
    this.breakOff(reason);
  }

  contentCancelled(): void {
    this.abandon();
  }

  /**
   * Whether the end of the backend's bytes completes the content. With frames, it does so only after the last frame.
   */
  #endsContent(): boolean {
    return this.#connection?.unframing?.over !== false && this.#content?.finish() === true;
  }

  #send(connection: BackendConnection): void {
    this.#connection = connection;
    this.phase = 'response';
    const request = this.request;
    connection.head.reset(request.method);
    connection.unframing?.reset();
    const { transport } = this.client;
    const head = transport.head(request, this.#upgrade);
    if (typeof head !== 'string') {
      this.abandon();
      this.answer(refuse(request, 'fields too large for the backend', headTooLargeResponse(head.tooLarge)));
      return;
    }
    this.trace?.connected(this.client.backend.protocol === undefined ? head : request.headers);
    if (request.body === null) {
      connection.socket.write(head, 'latin1');
      this.trace?.sent();
      connection.setDeadline(this.client.responseTicks);
      return;
    }
    connection.clearDeadline();
    if (this.sender !== null) this.sender.restart(head, connection);
    else {
      const { body, headers } = request;
      this.sender = new RequestSender(this, body, headers, transport.coding(body), head, connection);
      this.sender.start();
    }
  }

  #readHeads(): void {
    const connection = this.#connection;
    if (connection === null) return;
    const { head, input } = connection;
    while (input.length > 0) {
      const progress = head.scan(input.bytes, input.at, input.end);
      if (progress === 'incomplete') return;
      if (progress !== 'complete') {
        this.fail('response', progress.reason);
        return;
      }
      input.at += head.length;
      if (head.status >= 200) {
        this.#readResponse(connection);
        return;
      }
      if (head.status === 101) {
        this.#switch(connection);
        return;
      }
      if (!this.passInterim(head.status, head.lines)) return;
      head.reset(this.request.method);
    }
  }

  /** Handles the complete head of the final response. */
  #readResponse(connection: BackendConnection): void {
    const { status, reason, lines, has, framing } = connection.head;
    if (this.client.owner.responded(status, this.request, this.tried)) {
      this.fail('response', `it answered ${status}`);
      return;
    }
    this.trace?.responded(status, lines);
    if (status >= REFUSES_CONTENT) this.sender?.cancel();
    const body = receiveBody(this, connection);
    if (body instanceof Refusal) {
      this.fail('response', body.reason);
      return;
    }
    if (!(body instanceof ResponseContent)) {
      this.#finish();
      this.answer(new Response(status, reason, lines, framing.contentLength, has, body));
      return;
    }
    this.phase = 'content';
    this.#content = body;
    connection.clearDeadline();
    this.answer(new Response(status, reason, lines, framing.contentLength, has, body));
    if (!body.started) connection.setReading(false);
  }

  /** Switches the protocol (RFC 9110 section 7.8) if the client requested it. */
  #switch(connection: BackendConnection): void {
    if (!includesProtocol(connection.head.framing.upgrade, this.#upgrade)) {
      this.fail('response', 'it switched to a protocol that was not requested');
      return;
    }
    this.phase = 'over';
    this.#connection = null;
    this.answered = true;
    this.trace?.responded(connection.head.status, connection.head.lines);
    this.trace?.over();
    this.client.owner.responded(connection.head.status, this.request, this.tried);
    this.resolve(openTunnel(connection, connection.head, this.client, this.request));
  }

  /**
   * The response is complete. The connection is reused unless bytes remain on it. Without frames it is not reused after HEAD: application
   * servers such as waitress 3.0.2 may send the content too, only later, and that would be taken for the next response.
   */
  #finish(): void {
    this.measure();
    const connection = this.#connection;
    this.trace?.over();
    this.phase = 'over';
    this.#connection = null;
    if (connection === null) return;
    const clean = connection.input.length === 0 && (this.sender === null || this.sender.complete);
    this.sender?.cancel();
    connection.clearDeadline();
    const persists = this.request.method !== 'HEAD' && connection.head.framing.persists;
    const over = connection.unframing === null ? persists : connection.unframing.over;
    if (clean && over && this.client.transport.persists) this.client.pool.release(connection);
    else connection.abandon();
  }

  /** Closes the connection without further notifications. */
  protected abandon(): void {
    const connection = this.#connection;
    this.trace?.over();
    this.phase = 'over';
    this.#connection = null;
    this.sender?.cancel();
    connection?.abandon();
  }

  /**
   * Whether the backend closed a kept connection before it saw the request. Then one retry over a new connection is
   * safe.
   */
  #canRetry(): boolean {
    const untouched = this.sender === null || this.sender.untouched;
    return this.#isOnKept && !this.#retried && untouched && isIdempotent(this.request.method);
  }

  /** Whether the request waits on a connection that an earlier request has used. */
  get #isOnKept(): boolean {
    return (this.#connection?.served ?? 0) > 0 && !this.#receivedAny;
  }

  #retry(): void {
    this.#retried = true;
    this.phase = 'connect';
    this.#connection = this.client.pool.open(this);
  }

  protected setDeadline(ticks: number): void {
    this.#connection?.setDeadline(ticks);
  }

  protected clearDeadline(): void {
    this.#connection?.clearDeadline();
  }

  protected failContent(error: Error): void {
    this.#content?.fail(error);
  }

  /** Nothing to do: the pool learns of it when the connection closes. */
  protected release(): void {}
}
