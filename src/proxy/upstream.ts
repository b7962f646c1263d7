import type { HandlerResult } from '../http/handler.ts';
import type { Request } from '../http/message.ts';
import type { Backend } from './backend.ts';

/** The phase in which a backend failed a request. */
export type UpstreamPhase = 'connect' | 'send' | 'response' | 'content';

/** Why a backend returned no response. */
export interface UpstreamFailure {
  readonly phase: UpstreamPhase;
  readonly reason: string;
  /** 502, or 504 when the backend took too long (RFC 9110 sections 15.6.3 and 15.6.5). */
  readonly status: 502 | 504;
  /** The backend did not process the request and its content can still be sent, so another backend may get it. */
  readonly unsent: boolean;
}

/** Sends requests to one backend and receives its responses, over HTTP/1.1, HTTP/2 or a CGI protocol. */
export interface UpstreamClient {
  /**
   * Sends `request`. Without a response from the backend, the result is whatever the owner's `recover` returns. `tried`
   * lists the backends that already failed this request; it is passed back to the owner.
   */
  send(request: Request, tried: readonly Upstream[]): HandlerResult;
  /** Whether content must have a known length. */
  readonly needsLength: boolean;
  /** Whether the backend may take content and then refuse to process the request, so that the content is sent again. */
  readonly mayRefuse: boolean;
  /** Number of requests in progress at the backend. */
  readonly active: number;
  /** These requests, and those of health checks. */
  requests(): Iterable<Request>;
  /** Closes idle connections now and busy ones after their response. */
  stop(): void;
  /** Closes all connections at once. */
  destroy(): void;
}

/** Receives events about the requests to one backend. */
export interface UpstreamClientOwner {
  /** Decides what happens to a request that the backend failed. */
  recover(failure: UpstreamFailure, request: Request, tried: readonly Upstream[]): HandlerResult;
  /**
   * A response with this status has started. Returns true when the response counts as a failure; then the client
   * discards it and calls `recover`.
   */
  responded(status: number, request: Request, tried: readonly Upstream[]): boolean;
  /** The client of `request` left before the backend's result was known. */
  left(request: Request): void;
  /** The content of `request` did not arrive completely, before the backend's result was known. */
  contentFailed(error: Error, request: Request): void;
  /** The time for `over`; 0 if nobody measures. */
  now(): number;
  /** The backend has answered `request` completely, or failed it. `startedMs` is what `now` returned when the backend was chosen. */
  over(request: Request, startedMs: number): void;
  /** `active` has decreased. */
  freed(): void;
}

/** One backend and its client. */
export interface Upstream {
  readonly backend: Backend;
  readonly client: UpstreamClient;
  /** Current share of the requests relative to the other backends. */
  readonly weight: number;
}
