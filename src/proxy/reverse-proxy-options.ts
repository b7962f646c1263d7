import type { Request } from '../http/message.ts';
import type { Backend } from './backend.ts';
import type { BackendOverrides } from './backend-state.ts';
import type { Balancer } from './balancer.ts';
import type { CgiParam } from './cgi/request-params.ts';
import type { CreateClient } from './create-client.ts';
import type { Discovery } from './discovery/discovery.ts';
import type { ForwardedMode } from './forwarded.ts';
import type { ActiveCheckOptions } from './health/active-checks.ts';
import type { RetryReason } from './retry-policy.ts';
import type { StickyOptions } from './sticky.ts';

/** What a reverse proxy forwards to, with its limits. Times are in milliseconds, sizes in bytes. */
export interface ReverseProxyOptions {
  /** The configured backends. */
  readonly backends: readonly Backend[];
  /** Service discovery that finds more backends. */
  readonly discoveries?: readonly Discovery[];
  /** Chooses among the backends; round robin when absent. */
  readonly balancer?: Balancer;
  /** Keeps each client at the backend that answered it first. */
  readonly sticky?: StickyOptions;
  /** Health checks of the backends. */
  readonly checks?: ActiveCheckOptions;
  /**
   * Limit for connecting, including the TLS handshake. Afterwards the next backend is tried; without another backend
   * the status is 504.
   */
  readonly connectTimeoutMs: number;
  /** Limit from the end of the request to the end of the response's head. Afterwards: 504. */
  readonly responseTimeoutMs: number;
  /**
   * Limit between two blocks of a response while the client accepts content, or of a request while the backend accepts
   * none.
   */
  readonly idleTimeoutMs: number;
  /**
   * Limit without a byte in either direction of a WebSocket or another upgraded connection; 0, the default, for no
   * limit.
   */
  readonly tunnelIdleTimeoutMs?: number;
  /**
   * How long a failed backend counts as down; 0, the default, never marks a backend as down. The time doubles with each
   * failure.
   */
  readonly retryAfterMs?: number;
  /** Limit for that time. One minute by default. */
  readonly retryAfterMsMax?: number;
  /**
   * Number of failures of any kind in a row after which a backend is down; 0, the default, for never. It then receives
   * no requests even when no other backend is left.
   */
  readonly failuresMax?: number;
  /** Response statuses that count as failures. */
  readonly failedStatuses?: readonly number[];
  /**
   * How many other backends may receive a request that a backend received and failed, if the request is idempotent. 0
   * by default.
   */
  readonly retries?: number;
  /** Failures that allow a retry; `error` by default. */
  readonly retryOn?: readonly RetryReason[];
  /** The fraction of requests that may be retried; 0.2 by default. */
  readonly retryBudget?: number;
  /** Maximum number of concurrent requests at one backend; 0, the default, for no limit. */
  readonly connectionsMax?: number;
  /** How many requests may wait for room, and for how long. Beyond that: 503. */
  readonly queueMax?: number;
  readonly queueTimeoutMs?: number;
  /**
   * How long a new or recovered backend takes to reach its full share of the requests; 0, the default, gives the full
   * share at once.
   */
  readonly slowStartMs?: number;
  /** Overrides and check results by the backends' names. The proxy changes this map. */
  readonly overrides?: BackendOverrides;
  /**
   * Receives a request's content completely before a backend is chosen. Content of unknown length is always received
   * first when the backend's protocol requires the length.
   */
  readonly bufferRequest?: boolean;
  /** Takes a response's content as fast as the backend sends it. */
  readonly bufferResponse?: boolean;
  /**
   * Buffered content stays in memory up to this size and then goes to a file; the second limit is the file size for a
   * response. 64 KiB and 1 GiB by default.
   */
  readonly bufferMemoryBytesMax?: number;
  readonly bufferFileBytesMax?: number;
  /** Number of idle connections to keep for each backend; 0 opens a connection for each request. */
  readonly keepAliveMax: number;
  /** How long an idle connection is kept. It should be shorter than the backend's own timeout. */
  readonly keepAliveTimeoutMs: number;
  /** The Host field for backends: the client's, the backend's own, or this value. */
  readonly hostHeader: 'client' | 'backend' | string;
  /** Maximum size of a response's field section. Beyond that: 502. */
  readonly responseHeadBytesMax: number;
  /** Maximum number of a response's field lines. Beyond that: 502. */
  readonly responseHeadCountMax: number;
  /** Which fields describe the client to the backends. */
  readonly forwarded: ForwardedMode;
  /**
   * Passes on fields with an underscore in their name; false by default, because many applications confuse `X_User`
   * with `X-User`.
   */
  readonly underscores?: boolean;
  /**
   * Additional variables for backends with a CGI protocol, such as SCRIPT_FILENAME. They override the variables of the
   * request.
   */
  readonly params?: readonly CgiParam[];
  /** The port of each listener, in the server's order, for X-Forwarded-Port. A peer's `serverPort` takes precedence. */
  readonly listenerPorts?: readonly string[];
  /** Called once for each request that a backend failed, even when another backend then answers it. */
  readonly onError: (message: string, request: Request) => void;
  /** Called when a backend fails its checks, recovers, is down for a while, or writes to its error stream. */
  readonly onInfo?: (message: string) => void;
  /** Creates the client of each backend; `createClient` by default, which connects to it. */
  readonly createClient?: CreateClient;
}
