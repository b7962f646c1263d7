import type { Request } from '../http/message.ts';
import type { Upstream } from './upstream.ts';

/** Chooses the backend of a request. Each policy has its own file in `balancers/`. */
export interface Balancer {
  /**
   * Returns one of `upstreams`. These are the backends that may receive the request; the array is never empty. The
   * caller passes the same array while the backends and their weights stay the same.
   */
  pick(request: Request, upstreams: readonly Upstream[]): Upstream;
}

/** Wraps `make` so that it runs again only when the array differs from the last one. */
export function rememberLast<T>(make: (upstreams: readonly Upstream[]) => T): (upstreams: readonly Upstream[]) => T {
  let last: { readonly upstreams: readonly Upstream[]; readonly result: T } | null = null;
  return (upstreams) => {
    if (last === null || last.upstreams !== upstreams) last = { upstreams, result: make(upstreams) };
    return last.result;
  };
}

/** Whether all backends have the same weight. */
export function isEven(upstreams: readonly Upstream[]): boolean {
  return upstreams.every(({ weight }) => weight === upstreams[0]?.weight);
}
