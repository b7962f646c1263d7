import type { Standings } from '../upstream/member.ts';
import type { BackendStatus, ReverseProxy } from './reverse-proxy.ts';

/** The backends of one route. */
export interface RouteBackends {
  readonly route: string;
  /** Requests that wait until a backend has room. */
  readonly waiting: number;
  readonly backends: readonly BackendStatus[];
}

/** What people change about a backend while it runs. What is absent stays as it is. */
export interface BackendChange {
  /** Whether it gets no new requests, but those of its sticky sessions. */
  readonly draining?: boolean;
  /** From 1 to 100; null for the configured one. */
  readonly weight?: number | null;
}

/** Shows and changes backends, in this process or in several. */
export interface BackendControl {
  backends(): Promise<readonly RouteBackends[]>;
  /** Resolves to false when no route has a backend of this name. */
  changeBackend(name: string, change: BackendChange): Promise<boolean>;
}

export function listBackends(proxies: ReadonlyMap<string, ReverseProxy>): RouteBackends[] {
  return [...proxies].map(([route, proxy]) => ({ route, waiting: proxy.waiting, backends: proxy.status() }));
}

/** Applies `change` to all backends of this name. Returns false when there is none. */
export function changeBackend(
  proxies: ReadonlyMap<string, ReverseProxy>,
  standings: Standings,
  name: string,
  { draining, weight }: BackendChange,
): boolean {
  const standing = standings.get(name);
  if (standing === undefined) return false;
  if (draining !== undefined) standing.draining = draining;
  if (weight === null) delete standing.weight;
  else if (weight !== undefined) standing.weight = weight;
  for (const proxy of proxies.values()) proxy.refresh();
  return true;
}

/** What several processes with the same routes say, as one: requests are added up, and the worst state counts. */
export function mergeBackends(lists: readonly (readonly RouteBackends[])[]): RouteBackends[] {
  const routes = new Map<string, { waiting: number; backends: Map<string, BackendStatus> }>();
  for (const { route, waiting, backends } of lists.flat()) {
    const merged = routes.get(route) ?? { waiting: 0, backends: new Map<string, BackendStatus>() };
    routes.set(route, merged);
    merged.waiting += waiting;
    for (const status of backends) {
      const before = merged.backends.get(status.name);
      merged.backends.set(status.name, {
        ...status,
        state: before === undefined || before.state === 'up' ? status.state : before.state,
        active: status.active + (before?.active ?? 0),
      });
    }
  }
  return [...routes].map(([route, { waiting, backends }]) => ({ route, waiting, backends: [...backends.values()] }));
}
