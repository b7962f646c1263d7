import type { CgiParamLimits, CgiParams } from '../../cgi/params.ts';
import type { CgiRequestSocket } from './cgi-request-socket.ts';

/** A connection of a front-end proxy as the server sees it. */
export interface CgiConnection {
  /** Closes the connection if it has no request under way. */
  drain(): void;
  destroy(): void;
}

/** Receives the requests of a front-end proxy's connection. */
export interface CgiConnectionOwner {
  readonly limits: CgiParamLimits;
  readonly headerTimeoutMs: number;
  /** How long a connection may wait for its next request. */
  readonly keepAliveTimeoutMs: number;
  /** Whether the server stops: no connection takes further requests. */
  readonly draining: boolean;
  /** Answers the request with these variables; its content is delivered to `requestSocket` afterwards. */
  begin(requestSocket: CgiRequestSocket, variables: CgiParams): void;
  /** The received bytes are not a valid request. For the log. */
  refused(reason: string): void;
  closed(connection: CgiConnection): void;
}
