import type { Request } from '../../http/message.ts';
import { Refusal } from '../../http/refusal.ts';
import { Response } from '../../http/response.ts';
import { isIdempotent } from '../../http/semantics/idempotent.ts';
import type { ExchangingBackend } from '../../proxy/client/backend-client.ts';
import type { BackendConnection, ConnectionUser } from '../../proxy/client/backend-connection.ts';
import { clientLeftResponse, contentFailedResponse, headTooLargeResponse } from '../../proxy/client/error-responses.ts';
import { LaterResponse } from '../../proxy/client/later-response.ts';
import { receiveBody } from '../../proxy/client/receive-body.ts';
import { RequestSender, type SenderOwner } from '../../proxy/client/request-sender.ts';
import { type ContentOwner, ResponseContent } from '../../proxy/client/response-content.ts';
import { isAmong, openTunnel } from '../../proxy/client/tunnel.ts';
import { brokenContent, describeClosing, describeFailure } from '../../proxy/failure.ts';
import { wantedUpgrade } from '../../proxy/http1/request-heads.ts';
import type { Upstream, UpstreamPhase } from '../../proxy/upstream.ts';

const CONTINUE = 100;
const INTERIM_MAX = 16;
/** From here on a response says that the rest of the request's content is not wanted. */
const REFUSES_CONTENT = 300;

/**
 * One request on its way through one backend: gets a connection (`connect`), is sent and waits for the response's head (`response`), passes
 * on content (`content`), and is `over`.
 */
export class BackendExchange extends LaterResponse implements ConnectionUser, SenderOwner, ContentOwner {
  readonly #backend: ExchangingBackend;
  readonly #request: Request;
  readonly #tried: readonly Upstream[];
  readonly #upgrade: string;
  #phase: 'connect' | 'response' | 'content' | 'over' = 'connect';
  #connection: BackendConnection | null = null;
  #sender: RequestSender | null = null;
  #content: ResponseContent | null = null;
  #answered = false;
  #retried = false;
  #heard = false;
  #interim = 0;

  constructor(backend: ExchangingBackend, request: Request, tried: readonly Upstream[]) {
    super();
    this.#backend = backend;
    this.#request = request;
    this.#tried = tried;
    this.#upgrade = wantedUpgrade(request);
  }

  begin(): void {
    const request = this.#request;
    if (request.gone) {
      this.clientLeft();
      return;
    }
    request.onGone = () => this.clientLeft();
    const connection = this.#backend.pool.take(this, request.body === null && isIdempotent(request.method));
    if (connection === null) this.#connection = this.#backend.pool.open(this);
    else this.#send(connection);
  }

  /** Nobody waits for the response any more. */
  clientLeft(): void {
    if (this.#answered) return;
    this.#abandon();
    this.#backend.owner.left(this.#request);
    this.#answer(clientLeftResponse());
  }

  // ConnectionUser

  connected(): void {
    if (this.#phase === 'connect' && this.#connection !== null) this.#send(this.#connection);
  }

  received(): void {
    this.#heard = true;
    if (this.#phase === 'response') this.#readHeads();
    else if (this.#phase === 'content') this.#content?.feed();
  }

  ended(): void {
    if (this.#phase === 'content' && this.#endsContent()) return;
    this.#connection?.destroy();
  }

  drained(): void {
    this.#sender?.onDrain();
  }

  closed(error: Error | null): void {
    switch (this.#phase) {
      case 'connect':
        this.#fail('connect', describeFailure(error));
        break;
      case 'response':
        if (this.#mayRetry()) this.#retry();
        else this.#fail('response', describeClosing(error, 'before the response'));
        break;
      case 'content':
        if (error === null && this.#endsContent()) break;
        this.#breakOff(describeClosing(error, 'within the content'));
        break;
    }
  }

  late(): void {
    if (this.#phase === 'connect') this.#fail('connect', 'no connection in time', 504);
    else if (this.#phase === 'response' && this.#sender?.complete === false)
      this.#fail('send', 'the backend took nothing of the content in time', 504);
    else if (this.#phase === 'response') this.#fail('response', 'no response in time', 504);
    else if (this.#phase !== 'content') return;
    else if (this.#sender?.flowing === true) this.contentWanted();
    else this.#breakOff('no more content in time');
  }

  garbled(reason: string): void {
    if (this.#phase === 'content') this.#breakOff(reason);
    else this.#fail('response', reason);
  }

  // SenderOwner

  sendingBlocked(): void {
    if (this.#phase === 'response') this.#connection?.await(this.#backend.idleTicks);
  }

  sendingUnblocked(): void {
    if (this.#phase === 'response') this.#connection?.awaitNothing();
  }

  sent(): void {
    if (this.#phase === 'response') this.#connection?.await(this.#backend.responseTicks);
  }

  /** The front answers what was wrong with the content by itself, after this call; only a handler's own limit leaves it to us. */
  contentFailed(error: Error): void {
    if (this.#phase === 'over') return;
    if (this.#answered) {
      this.#breakOff("the request's content broke off");
      return;
    }
    this.#backend.owner.left(this.#request);
    this.#abandon();
    process.nextTick(() => {
      if (!this.#answered) this.#answer(contentFailedResponse(error));
    });
  }

  // ContentOwner

  contentWanted(): void {
    this.#connection?.await(this.#backend.idleTicks);
  }

  contentOver(): void {
    this.#release();
  }

  contentBroken(reason: string): void {
    this.#breakOff(reason);
  }

  contentCancelled(): void {
    this.#abandon();
  }

  /** Whether the end of what the backend sends is the content's: with frames only when they say so. */
  #endsContent(): boolean {
    return this.#connection?.unframing?.over !== false && this.#content?.finish() === true;
  }

  #send(connection: BackendConnection): void {
    this.#connection = connection;
    this.#phase = 'response';
    const request = this.#request;
    connection.head.begin(request.method);
    connection.unframing?.begin();
    const { dialect } = this.#backend;
    const head = dialect.head(request, this.#upgrade);
    if (typeof head !== 'string') {
      this.#abandon();
      this.#answer(headTooLargeResponse(head.tooLarge));
      return;
    }
    if (request.body === null) {
      connection.socket.write(head, 'latin1');
      connection.await(this.#backend.responseTicks);
      return;
    }
    connection.awaitNothing();
    if (this.#sender !== null) this.#sender.restart(head, connection);
    else {
      this.#sender = new RequestSender(this, request.body, dialect.coding(request.body), head, connection);
      this.#sender.start();
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
        this.#fail('response', progress.reason);
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
      this.#interim += 1;
      if (this.#interim > INTERIM_MAX) {
        this.#fail('response', 'there are too many interim responses');
        return;
      }
      if (head.status !== CONTINUE) this.#request.sendInterim(head.status, head.lines);
      if (this.#sender === null || this.#sender.complete) connection.await(this.#backend.responseTicks);
      head.begin(this.#request.method);
    }
  }

  /** The head of the final response is there. */
  #readResponse(connection: BackendConnection): void {
    const { status, reason, lines, has, framing } = connection.head;
    if (this.#backend.owner.responded(status, this.#request, this.#tried)) {
      this.#fail('response', `it answered ${status}`);
      return;
    }
    if (status >= REFUSES_CONTENT) this.#sender?.cancel();
    const body = receiveBody(this, connection);
    if (body instanceof Refusal) {
      this.#fail('response', body.reason);
      return;
    }
    if (!(body instanceof ResponseContent)) {
      this.#release();
      this.#answer(new Response(status, reason, lines, framing.contentLength, has, body));
      return;
    }
    this.#phase = 'content';
    this.#content = body;
    connection.awaitNothing();
    this.#answer(new Response(status, reason, lines, framing.contentLength, has, body));
    if (!body.started) connection.setReading(false);
  }

  /** The backend changes the protocol (RFC 9110 section 7.8), if that was asked for. */
  #switch(connection: BackendConnection): void {
    if (!isAmong(connection.head.framing.upgrade, this.#upgrade)) {
      this.#fail('response', 'it switches to a protocol that was not asked for');
      return;
    }
    this.#phase = 'over';
    this.#connection = null;
    this.#answered = true;
    this.#backend.owner.responded(connection.head.status, this.#request, this.#tried);
    this.settle(openTunnel(connection, connection.head, this.#backend, this.#request));
  }

  /** The response is complete: the connection is free for the next request, unless anything is left on it. */
  #release(): void {
    const connection = this.#connection;
    this.#phase = 'over';
    this.#connection = null;
    if (connection === null) return;
    const clean = connection.input.length === 0 && (this.#sender === null || this.#sender.complete);
    this.#sender?.cancel();
    connection.awaitNothing();
    const over = connection.unframing === null ? connection.head.framing.persists : connection.unframing.over;
    if (clean && over && this.#backend.dialect.persists) this.#backend.pool.release(connection);
    else connection.abandon();
  }

  /** Ends the connection without a word. */
  #abandon(): void {
    const connection = this.#connection;
    this.#phase = 'over';
    this.#connection = null;
    this.#sender?.cancel();
    connection?.abandon();
  }

  /** A kept connection that the backend had closed before it saw the request: there is nothing to be said against a second one. */
  #mayRetry(): boolean {
    const kept = (this.#connection?.served ?? 0) > 0;
    const untouched = this.#sender === null || this.#sender.untouched;
    return kept && !this.#heard && !this.#retried && untouched && isIdempotent(this.#request.method);
  }

  #retry(): void {
    this.#retried = true;
    this.#phase = 'connect';
    this.#connection = this.#backend.pool.open(this);
  }

  /** No response comes. */
  #fail(phase: UpstreamPhase, reason: string, status: 502 | 504 = 502): void {
    const unsent = this.#phase === 'connect' && this.#sender === null;
    this.#abandon();
    if (this.#answered) return;
    const failure = { phase, reason, status, unsent };
    this.#answered = true;
    this.#request.onGone = null; // it may be another backend's from now on
    this.settle(this.#backend.owner.recover(failure, this.#request, this.#tried));
  }

  /** The response has begun and cannot be completed. */
  #breakOff(reason: string): void {
    const content = this.#content;
    this.#abandon();
    content?.fail(brokenContent(this.#backend.backend, reason));
  }

  #answer(response: Response): void {
    this.#answered = true;
    this.#request.onGone = null;
    this.settle(response);
  }
}
