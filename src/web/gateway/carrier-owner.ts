import type { VariableLimits, Variables } from '../../cgi/params.ts';
import type { CarriedSocket } from '../../listen/cgi/cgi-request-socket.ts';

/** A connection of a front, as the one who watches all of them sees it. */
export interface OpenCarrier {
  /** Closes when nothing of it is under way. */
  drain(): void;
  destroy(): void;
}

/** Who takes the requests that a front's connection carries. */
export interface CarrierOwner {
  readonly limits: VariableLimits;
  readonly headerTimeoutMs: number;
  /** A front's connection may wait so long for its next request. */
  readonly keepAliveTimeoutMs: number;
  /** No further request is wanted on any connection. */
  readonly draining: boolean;
  /** Answers the request with these variables; its content is delivered to `carried` afterwards. */
  begin(carried: CarriedSocket, variables: Variables): void;
  /** What came is no request. For the log. */
  refused(reason: string): void;
  closed(carrier: OpenCarrier): void;
}
