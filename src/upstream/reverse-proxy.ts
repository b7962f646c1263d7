import type { HandlerResult } from '../http/handler.ts';
import type { Request } from '../http/message.ts';
import { Response } from '../http/response.ts';
import { reasonPhrase } from '../http/status.ts';
import { type Backend, backendName } from './backend.ts';
import type { Balancer } from './balancer.ts';
import { roundRobin } from './balancers/round-robin.ts';
import { Clock } from './clock.ts';
import type { ForwardedMode } from './forwarded.ts';
import { Http1Backend } from './http1/http1-backend.ts';
import type { Upstream, UpstreamFailure } from './protocol.ts';
import { RestTimes } from './rest-times.ts';

export interface ReverseProxyOptions {
  /** At least one. */
  readonly backends: readonly Backend[];
  /** Chooses among them; one after the other when absent. */
  readonly balancer?: Balancer;
  /** Until a connection stands, with TLS until its handshake is over. Past it the next backend is tried, then: 504. */
  readonly connectTimeoutMs: number;
  /** From the end of the request to the end of the response's head. Past it: 504. */
  readonly responseTimeoutMs: number;
  /** Between two blocks of a response that the client waits for, or of a request that the backend does not take. */
  readonly idleTimeoutMs: number;
  /** Without a byte in either direction of a WebSocket or another upgraded connection; 0 allows it for ever. 0 when absent. */
  readonly tunnelIdleTimeoutMs?: number;
  /** How long a backend that could not be connected to is left alone, while there are others; 0, the default, for not at all. It doubles with each failure. */
  readonly restMs?: number;
  /** The longest such time. A minute by default. */
  readonly restMsMax?: number;
  /** Idle connections that are kept for each backend; 0 opens one for each request. */
  readonly keepAliveMax: number;
  /** How long one is kept: shorter than the backend keeps it. */
  readonly keepAliveTimeoutMs: number;
  /** The Host that backends get: the client's, the backend's own, or this one. */
  readonly hostHeader: 'client' | 'backend' | string;
  /** Bytes of a response's field lines. Past it: 502. */
  readonly responseHeadBytesMax: number;
  /** Field lines of a response. Past it: 502. */
  readonly responseHeadCountMax: number;
  /** Which fields tell backends about the client. */
  readonly forwarded: ForwardedMode;
  /** The port of each listener, in the server's order, for X-Forwarded-Port; a peer's `serverPort` comes first. */
  readonly listenerPorts?: readonly string[];
  /** Told once for each request that a backend failed, also when another backend then answers it. */
  readonly onError: (message: string, request: Request) => void;
}

export interface ReverseProxy {
  /** Answers with what a backend answers, with 502 when it gives no proper response, with 504 when it is too slow. */
  readonly handle: (request: Request) => HandlerResult;
  /** Closes idle connections now and busy ones behind their response. Requests are still answered; tunnels go on. */
  stop(): void;
  /** Cuts all connections and tunnels. */
  destroy(): void;
}

const NONE: readonly Upstream[] = [];
const REST_MS_MAX = 60_000;

/** Passes requests on to HTTP/1.1 backends, and their responses back (RFC 9110 section 7.6). */
export function reverseProxy(options: ReverseProxyOptions): ReverseProxy {
  const { backends, balancer = roundRobin(), onError, restMs = 0, restMsMax = REST_MS_MAX } = options;
  const { connectTimeoutMs, responseTimeoutMs, idleTimeoutMs, keepAliveTimeoutMs, tunnelIdleTimeoutMs = 0 } = options;
  const clock = new Clock([
    connectTimeoutMs,
    responseTimeoutMs,
    idleTimeoutMs,
    keepAliveTimeoutMs,
    tunnelIdleTimeoutMs,
  ]);
  const http1 = { ...options, tunnelIdleTimeoutMs, listenerPorts: options.listenerPorts ?? [] };
  const upstreams = backends.map((backend) => new Http1Backend(backend, clock, http1, recover));
  const primaries = upstreams.filter(({ backend }) => backend.backup !== true);
  const backups = upstreams.filter(({ backend }) => backend.backup === true);
  const first = primaries.length > 0 ? primaries : backups;
  const rests = new RestTimes({ restMs, restMsMax, now: () => performance.now() });

  function recover(failure: UpstreamFailure, request: Request, tried: readonly Upstream[]): HandlerResult {
    const { upstream, phase, reason, status, unsent } = failure;
    onError(`Cannot get a response from backend "${backendName(upstream.backend)}": ${phase}: ${reason}`, request);
    if (phase === 'connect') rests.failed(upstream);
    const failed = [...tried, upstream];
    const next = unsent ? (untried(primaries, failed) ?? untried(backups, failed)) : null;
    if (next !== null) return choose(request, rests.awake(next)).protocol.send(request, failed);
    return Response.text(status, `${reasonPhrase(status)}\n`);
  }

  function choose(request: Request, among: readonly Upstream[]): Upstream {
    return among.length === 1 ? (among[0] as Upstream) : balancer.pick(request, among);
  }

  return {
    handle: (request) => choose(request, rests.awake(first)).protocol.send(request, NONE),
    stop() {
      for (const { protocol } of upstreams) protocol.stop();
    },
    destroy() {
      for (const { protocol } of upstreams) protocol.destroy();
    },
  };
}

/** Those that have not failed the request; null when all have. */
function untried(upstreams: readonly Upstream[], failed: readonly Upstream[]): readonly Upstream[] | null {
  const left = upstreams.filter((upstream) => !failed.includes(upstream));
  return left.length > 0 ? left : null;
}
