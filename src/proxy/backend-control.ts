import type { BackendOverrides } from './backend-state.ts';
import type { BackendStatus, ReverseProxy } from './reverse-proxy.ts';

/** The backends of one route. */
export interface RouteBackends {
  readonly route: string;
  /** Number of requests that wait until a backend has room. */
  readonly waiting: number;
  readonly backends: readonly BackendStatus[];
}

/** What an operator changes about a running backend. An absent property leaves the current value. */
export interface BackendChange {
  /** A draining backend receives only requests of its sticky sessions. */
  readonly draining?: boolean;
  /** From 1 to 100; null restores the configured weight. */
  readonly weight?: number | null;
}

/** Shows and changes the backends of one server process or of several. */
export interface BackendControl {
  backends(): Promise<readonly RouteBackends[]>;
  /** Resolves to false when no route has a backend with this name. */
  changeBackend(name: string, change: BackendChange): Promise<boolean>;
}

export function listBackends(proxies: ReadonlyMap<string, ReverseProxy>): RouteBackends[] {
  return [...proxies].map(([route, proxy]) => ({ route, waiting: proxy.waiting, backends: proxy.status() }));
}

/** Applies `change` to all backends with this name. Returns false when no backend has it. */
export function changeBackend(
  proxies: ReadonlyMap<string, ReverseProxy>,
  overrides: BackendOverrides,
  name: string,
  { draining, weight }: BackendChange,
): boolean {
  const override = overrides.get(name);
  if (override === undefined) return false;
  if (draining !== undefined) override.draining = draining;
  if (weight === null) delete override.weight;
  else if (weight !== undefined) override.weight = weight;
  for (const proxy of proxies.values()) proxy.refresh();
  return true;
}

/**
 * Merges the lists of several server processes with the same routes. Request counts are added, and the worst state
 * wins.
 */
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
