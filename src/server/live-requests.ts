import type { Priority, Request, RequestRecord } from '../http/message.ts';
import type { OpenRequest } from '../http/transport/protocol-server.ts';
import type { ReverseProxy } from '../proxy/reverse-proxy.ts';
import type { Applications } from '../site/applications.ts';

/** A request that is not answered completely. It is sent as JSON, as it is. */
export interface LiveRequest {
  readonly method: string;
  readonly host: string;
  /** Without the query, which may have secrets. */
  readonly path: string;
  /** Numeric address of the client; '' on a Unix socket. */
  readonly client: string;
  /** That of its route. It counts while the request waits for a worker. */
  readonly priority: Priority;
  /** Time since the end of its head; null if it is not known, because nothing is logged. */
  readonly age_ms: number | null;
  /**
   * `queue`: it waits for a worker. `worker`: Python runs it. `backend`: a backend has it. `server`: its content arrives, or this process
   * handles it. `sending`: the client takes the response; with a worker if its thread waits for the client.
   */
  readonly where: 'queue' | 'worker' | 'backend' | 'server' | 'sending';
  /** Number of its worker; null without one. */
  readonly worker: number | null;
  /** Name of its backend; null without one. */
  readonly backend: string | null;
}

/** How many requests a list has at most: the oldest. */
export const LIVE_REQUESTS_MAX = 1000;

type Place = Pick<LiveRequest, 'where' | 'worker' | 'backend' | 'priority'> & { readonly sinceMs: number };

/** The requests of all connections, with the places where they are, the oldest first. Nothing is kept for this: it walks through all of them. */
export function liveRequests(
  open: Iterable<OpenRequest>,
  applications: Applications,
  proxies: ReadonlyMap<string, ReverseProxy>,
): LiveRequest[] {
  const places = placesOf(applications, proxies);
  const now = performance.now();
  const requests = Array.from(open, ({ request, isResponding, startedAtMs }): LiveRequest => {
    const place = places.get(request.record);
    const sinceMs = startedAtMs || (place?.sinceMs ?? 0);
    const { method, host, path, peer } = request;
    return {
      method,
      host,
      path,
      client: peer.remoteAddress,
      priority: place?.priority ?? 'normal',
      age_ms: sinceMs === 0 ? null : Math.round(now - sinceMs),
      where: place?.where ?? (isResponding ? 'sending' : 'server'),
      worker: place?.worker ?? null,
      backend: place?.backend ?? null,
    };
  });
  return oldestFirst(requests);
}

export function oldestFirst(requests: readonly LiveRequest[]): LiveRequest[] {
  return requests.toSorted((a, b) => (b.age_ms ?? 0) - (a.age_ms ?? 0)).slice(0, LIVE_REQUESTS_MAX);
}

const AT_NOBODY = { worker: null, backend: null };

function priorityOf({ priority = 'normal' }: Pick<Request, 'priority'>): Priority {
  return priority;
}

/** Where requests are that have left the connections, by their records: derived requests have the record of the one that arrived. */
function placesOf(applications: Applications, proxies: ReadonlyMap<string, ReverseProxy>): Map<RequestRecord, Place> {
  const places = new Map<RequestRecord, Place>();
  for (const [, application] of applications.serving()) {
    for (const { request, queuedAtMs } of application.waitingRequests())
      places.set(request.record, { ...AT_NOBODY, where: 'queue', priority: priorityOf(request), sinceMs: queuedAtMs });
    for (const { number, lanes } of application.workers) {
      for (const { inflight, headSinceMs } of lanes) {
        for (const [index, { request, queuedAtMs, stream }] of inflight.entries()) {
          const where = index > 0 ? 'queue' : stream?.isHeld === true ? 'sending' : 'worker';
          const sinceMs = queuedAtMs || headSinceMs;
          places.set(request.record, { ...AT_NOBODY, where, worker: number, priority: priorityOf(request), sinceMs });
        }
      }
    }
  }
  for (const proxy of proxies.values()) {
    proxy.eachRequest((request, backend) =>
      places.set(request.record, {
        ...AT_NOBODY,
        where: 'backend',
        backend,
        priority: priorityOf(request),
        sinceMs: 0,
      }),
    );
  }
  return places;
}
