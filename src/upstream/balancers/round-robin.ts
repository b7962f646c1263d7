import type { Balancer } from '../balancer.ts';
import type { Upstream } from '../protocol.ts';

/** Takes one after the other. */
export function roundRobin(): Balancer {
  let turn = 0;
  return {
    pick(_request, upstreams) {
      turn = (turn + 1) % upstreams.length;
      return upstreams[turn] as Upstream;
    },
  };
}
