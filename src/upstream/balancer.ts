import type { Request } from '../http/message.ts';
import type { Upstream } from './protocol.ts';

/** Chooses the backend of a request. One policy, one file in `balancers/`. */
export interface Balancer {
  /** One of `upstreams`, which are those that may be asked: never empty. */
  pick(request: Request, upstreams: readonly Upstream[]): Upstream;
}
