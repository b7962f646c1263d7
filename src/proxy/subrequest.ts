import type { HeaderList, Request } from '../http/message.ts';
import type { Response } from '../http/response.ts';
import { responseFields } from '../http/response-fields.ts';
import { discardBody } from '../http/semantics/response-content.ts';
import type { Backend } from './backend.ts';
import type { CreateClient } from './create-client.ts';
import { internalRequest } from './replayable-request.ts';
import { reverseProxy } from './reverse-proxy.ts';

export interface Subrequest {
  readonly method: string;
  /** Path and query, percent-encoded. */
  readonly path: string;
  /** Sent unchanged, except for fields of the connection. Without a Host field the backend's own is sent. */
  readonly headers: HeaderList;
}

export interface SubrequestAnswer {
  readonly status: number;
  readonly headers: HeaderList;
}

const HEAD_BYTES_MAX = 65536;
const HEAD_COUNT_MAX = 200;
/** Most servers keep idle connections for longer. */
const KEEP_ALIVE_TIMEOUT_MS = 4000;

/** Sends requests of the server itself to one backend, over kept connections. */
export interface Subrequests {
  /**
   * Returns the head of the response; the content is discarded.
   *
   * @throws Error with backend and reason when no valid response arrives in time.
   */
  ask(request: Subrequest): Promise<SubrequestAnswer>;
  /** Closes the connections. */
  stop(): void;
}

/**
 * Prepares requests of the server itself to `backend`, for example for authentication. `timeoutMs` limits the
 * connection and the response; up to `keepAliveMax` idle connections are kept. `createClient` replaces the client that
 * connects to the backend.
 */
export function subrequests(
  backend: Backend,
  timeoutMs: number,
  keepAliveMax: number,
  createClient?: CreateClient,
): Subrequests {
  const failures = new WeakMap<Request, string>();
  const proxy = reverseProxy({
    backends: [backend],
    connectTimeoutMs: timeoutMs,
    responseTimeoutMs: timeoutMs,
    idleTimeoutMs: timeoutMs,
    keepAliveMax,
    keepAliveTimeoutMs: KEEP_ALIVE_TIMEOUT_MS,
    hostHeader: 'client',
    responseHeadBytesMax: HEAD_BYTES_MAX,
    responseHeadCountMax: HEAD_COUNT_MAX,
    forwarded: 'off',
    onError: (message, request) => failures.set(request, message),
    ...(createClient === undefined ? {} : { createClient }),
  });
  return {
    async ask({ method, path, headers }) {
      const request = internalRequest(method, path, headers);
      const response = await new Promise<Response>((resolve, reject) => {
        const result = proxy.handle(request);
        if ('then' in result) result.then(resolve, reject);
        else resolve(result);
      });
      discardBody(response.body);
      const failure = failures.get(request);
      if (failure !== undefined) throw failed(failure, response.status);
      return { status: response.status, headers: responseFields(response) };
    },
    stop: proxy.stop,
  };
}

/** Sends a single request over a connection of its own; see `subrequests`. */
export function subrequest(backend: Backend, request: Subrequest, timeoutMs: number): Promise<SubrequestAnswer> {
  return subrequests(backend, timeoutMs, 0).ask(request);
}

/** The error of a subrequest without an answer. Its name is `TimeoutError` when the backend was too slow. */
function failed(message: string, status: number): Error {
  const error = new Error(message);
  if (status === 504) error.name = 'TimeoutError';
  return error;
}
