import type { Request } from '../http/message.ts';
import type { Upstream } from './upstream.ts';

/** Chooses the backend of a request. One policy, one file in `balancers/`. */
export interface Balancer {
  /**
   * One of `upstreams`, which are those that may be asked: never empty. While nothing about them changes, neither who they are nor their
   * weights, they come in the same array.
   */
  pick(request: Request, upstreams: readonly Upstream[]): Upstream;
}

/** `make`'s result for the last array, made anew only for another one. */
export function rememberLast<T>(make: (upstreams: readonly Upstream[]) => T): (upstreams: readonly Upstream[]) => T {
  let last: { readonly upstreams: readonly Upstream[]; readonly made: T } | null = null;
  return (upstreams) => {
    if (last === null || last.upstreams !== upstreams) last = { upstreams, made: make(upstreams) };
    return last.made;
  };
}

/** Whether all weigh the same. */
export function isEven(upstreams: readonly Upstream[]): boolean {
  return upstreams.every(({ weight }) => weight === upstreams[0]?.weight);
}
