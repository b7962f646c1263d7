import type { Request } from '../../http/message.ts';
import { noteReason } from '../../http/request-record.ts';
import type { Response } from '../../http/response.ts';
import type { Backend } from '../backend.ts';
import { type BackendTrace, backendTraceOf } from '../backend-trace.ts';
import { brokenContent } from '../failure.ts';
import type { Upstream, UpstreamClientOwner, UpstreamPhase } from '../upstream.ts';
import { clientClosedResponse, contentFailedResponse } from './error-responses.ts';
import { LaterResponse } from './later-response.ts';
import type { SenderOwner } from './request-sender.ts';

/** What all requests to one backend share, over any protocol. Timeouts are in ticks of the clock. */
export interface BackendRequestContext {
  readonly backend: Backend;
  readonly owner: UpstreamClientOwner;
  readonly responseTicks: number;
  readonly idleTicks: number;
}

/** What a request does at present; see `BackendRequest`. */
export type RequestPhase = 'connect' | 'response' | 'content' | 'over';

/** From this status on, the response means that the backend does not need the rest of the request's content. */
export const REFUSES_CONTENT = 300;
const CONTINUE = 100;
const INTERIM_MAX = 16;

/**
 * One request to one backend, whatever the protocol. Its phases: it gets a connection (`connect`), is sent and waits for
 * the response's head (`response`), passes on content (`content`), and is finished (`over`).
 */
export abstract class BackendRequest<Context extends BackendRequestContext>
  extends LaterResponse
  implements SenderOwner
{
  protected readonly client: Context;
  readonly request: Request;
  protected readonly tried: readonly Upstream[];
  protected phase: RequestPhase = 'connect';
  protected answered = false;
  /** Null unless the request is traced. */
  protected readonly trace: BackendTrace | null;
  #interim = 0;
  #startedMs = 0;

  constructor(client: Context, request: Request, tried: readonly Upstream[]) {
    super();
    this.client = client;
    this.request = request;
    this.tried = tried;
    this.trace = backendTraceOf(request, client.backend);
  }

  start(): void {
    const { request } = this;
    if (request.gone) {
      this.#clientLeft();
      return;
    }
    request.onGone = () => this.#clientLeft();
    this.#startedMs = this.client.owner.now();
    this.connect();
  }

  /** Gets a connection, and sends the request when it is ready. */
  protected abstract connect(): void;
  /** The sender of the request's content; null before it starts and without content. */
  protected abstract get sender(): { readonly complete: boolean; readonly flowing: boolean } | null;
  /** Sets the deadline to `ticks` from now. */
  protected abstract setDeadline(ticks: number): void;
  protected abstract clearDeadline(): void;
  /** Ends the request without further notifications. */
  protected abstract abandon(): void;
  /** The content of the response that has started breaks off. */
  protected abstract failContent(error: Error): void;
  /** The request is over, and its result is known. May be called more than once. */
  protected abstract release(): void;

  /** The client has left and waits for no response. */
  #clientLeft(): void {
    if (this.answered) return;
    this.abandon();
    this.client.owner.left(this.request);
    this.answer(clientClosedResponse());
    this.release();
  }

  timedOut(): void {
    const { phase, sender } = this;
    if (phase === 'connect') this.fail('connect', 'the connection timed out', 504, sender === null);
    else if (phase === 'response' && sender?.complete === false)
      this.fail('send', 'the backend accepted no content in time', 504);
    else if (phase === 'response') this.fail('response', 'no response in time', 504);
    else if (phase !== 'content') return;
    else if (sender?.flowing === true) this.contentWanted();
    else this.breakOff('no more content in time');
  }

  /** The backend violated its protocol, or gave up the request. */
  malformed(reason: string): void {
    if (this.phase === 'content') this.breakOff(reason);
    else this.fail('response', reason);
  }

  /** The client accepts more content; a deadline must start. */
  contentWanted(): void {
    this.setDeadline(this.client.idleTicks);
  }

  // SenderOwner

  sendingBlocked(): void {
    if (this.phase === 'response') this.setDeadline(this.client.idleTicks);
  }

  sendingUnblocked(): void {
    if (this.phase === 'response') this.clearDeadline();
  }

  sent(): void {
    this.trace?.sent();
    if (this.phase === 'response') this.setDeadline(this.client.responseTicks);
  }

  /**
   * The server answers malformed content itself, after this call. Only for a limit of a handler, and for an error of the
   * server, must the proxy answer.
   */
  contentFailed(error: Error): void {
    if (this.phase === 'over') return;
    if (this.answered) {
      this.breakOff("the request's content was interrupted");
      return;
    }
    this.client.owner.contentFailed(error, this.request);
    this.abandon();
    process.nextTick(() => {
      if (!this.answered) this.answer(contentFailedResponse(error));
      this.release();
    });
  }

  /** Passes on an interim response. Returns false, with the request failed, if there are too many. */
  protected passInterim(status: number, lines: string): boolean {
    this.#interim += 1;
    if (this.#interim > INTERIM_MAX) {
      this.fail('response', 'there are too many interim responses');
      return false;
    }
    if (status !== CONTINUE) this.request.sendInterim(status, lines);
    if (this.sender === null || this.sender.complete) this.setDeadline(this.client.responseTicks);
    return true;
  }

  /** Ends the request without a response. `isUnsent`: see `UpstreamFailure.unsent`. */
  protected fail(phase: UpstreamPhase, reason: string, status: 502 | 504 = 502, isUnsent = false): void {
    this.trace?.failed(`${phase}: ${reason}`);
    this.measure();
    this.abandon();
    if (!this.answered) {
      const failure = { phase, reason, status, unsent: isUnsent };
      this.answered = true;
      this.request.onGone = null; // from now on it may belong to another backend's request
      this.resolve(this.client.owner.recover(failure, this.request, this.tried));
    }
    this.release();
  }

  /** The response has started but cannot be completed. */
  protected breakOff(reason: string): void {
    if (this.phase === 'over') return;
    this.measure();
    noteReason(this.request.record, 'backend failed');
    this.trace?.failed(reason);
    this.abandon();
    this.failContent(brokenContent(this.client.backend, reason));
    this.release();
  }

  /** The backend has answered completely, or failed. May be called more than once. */
  protected measure(): void {
    this.client.owner.over(this.request, this.#startedMs);
    this.#startedMs = 0;
  }

  protected answer(response: Response): void {
    this.answered = true;
    this.request.onGone = null;
    this.resolve(response);
  }
}
