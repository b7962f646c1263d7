import type { HandlerResult } from '../http/handler.ts';
import type { Request } from '../http/message.ts';
import type { Backend } from './backend.ts';

/** What a request was doing when its backend failed it. */
export type UpstreamPhase = 'connect' | 'send' | 'response' | 'content';

/** Why a backend gave no response. */
export interface UpstreamFailure {
  readonly phase: UpstreamPhase;
  readonly reason: string;
  /** 502, or 504 when the backend took too long (RFC 9110 sections 15.6.3 and 15.6.5). */
  readonly status: 502 | 504;
  /** The backend has seen nothing of the request: another one may get it. */
  readonly unsent: boolean;
}

/** How requests get to one backend and responses back: HTTP/1.1, or a gateway protocol. */
export interface BackendProtocol {
  /**
   * Sends `request`. When no response comes, the result is what the owner makes of the failure. `tried` are the backends that failed this
   * request before; it is handed back to the owner.
   */
  send(request: Request, tried: readonly Upstream[]): HandlerResult;
  /** Content must be of known length. */
  readonly needsLength: boolean;
  /** Requests that are with the backend now. */
  readonly active: number;
  /** Closes what is idle; what is busy ends with its response. */
  stop(): void;
  /** Cuts everything. */
  destroy(): void;
}

/** Who is told how the requests to one backend go. */
export interface ProtocolOwner {
  /** What becomes of a request that the backend failed. */
  recover(failure: UpstreamFailure, request: Request, tried: readonly Upstream[]): HandlerResult;
  /** A response with this status has begun. Returns true when it counts as a failure and `recover` is to be asked; nobody gets it then. */
  responded(status: number, request: Request, tried: readonly Upstream[]): boolean;
  /** The client of `request` left before anything was known. */
  left(request: Request): void;
  /** `active` is less than it was. */
  freed(): void;
}

/** One backend and the way to it. */
export interface Upstream {
  readonly backend: Backend;
  readonly protocol: BackendProtocol;
  /** Its share of the requests, beside the other backends' now. */
  readonly weight: number;
}
