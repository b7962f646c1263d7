import { discardBody } from '../http/http1/response-writer.ts';
import type { HeaderList, Request } from '../http/message.ts';
import type { Response } from '../http/response.ts';
import { responseFields } from '../http/response-fields.ts';
import type { Backend } from './backend.ts';
import { ownRequest } from './replayable-request.ts';
import { reverseProxy } from './reverse-proxy.ts';

export interface Subrequest {
  readonly method: string;
  /** Path and query, percent-encoded. */
  readonly path: string;
  /** Sent as they are, but for those of a connection; without a Host among them the backend gets its own. */
  readonly headers: HeaderList;
}

export interface SubrequestAnswer {
  readonly status: number;
  readonly headers: HeaderList;
}

const HEAD_BYTES_MAX = 65536;
const HEAD_COUNT_MAX = 200;
/** Most servers keep a connection for longer. */
const KEEP_ALIVE_TIMEOUT_MS = 4000;

/** Asks one backend again and again over kept connections. */
export interface Subrequests {
  /**
   * Returns the head of the answer; the content is thrown away.
   *
   * @throws Error with backend and reason when there is no proper answer in time.
   */
  ask(asked: Subrequest): Promise<SubrequestAnswer>;
  /** Closes the connections. */
  stop(): void;
}

/**
 * Prepares to ask `backend` something of our own, such as whether a request may pass. `timeoutMs` counts for the connection and for the
 * answer; up to `keepAliveMax` idle connections are kept.
 */
export function subrequests(backend: Backend, timeoutMs: number, keepAliveMax: number): Subrequests {
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
  });
  return {
    async ask(asked) {
      const request = ownRequest(asked.method, asked.path, asked.headers);
      const response = await new Promise<Response>((resolve, reject) => {
        const result = proxy.handle(request);
        if ('then' in result) result.then(resolve, reject);
        else resolve(result);
      });
      discardBody(response.body);
      const failure = failures.get(request);
      if (failure !== undefined) throw new Error(failure);
      return { status: response.status, headers: responseFields(response) };
    },
    stop: proxy.stop,
  };
}

/** Asks `backend` once, as `subrequests` does, over a connection of its own. */
export function subrequest(backend: Backend, asked: Subrequest, timeoutMs: number): Promise<SubrequestAnswer> {
  return subrequests(backend, timeoutMs, 0).ask(asked);
}
