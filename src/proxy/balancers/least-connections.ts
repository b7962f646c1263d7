import { loadOf } from '../backend-load.ts';
import type { Balancer } from '../balancer.ts';
import type { Upstream } from '../upstream.ts';

/** Chooses the backend with the fewest requests for its weight. Equal backends take turns. */
export function leastConnections(): Balancer {
  let turn = 0;
  return {
    pick(_request, upstreams) {
      turn = (turn + 1) % upstreams.length;
      let best = upstreams[turn] as Upstream;
      let bestLoad = loadOf(best);
      for (let i = 1; i < upstreams.length && bestLoad > 0; i += 1) {
        const upstream = upstreams[(turn + i) % upstreams.length] as Upstream;
        const load = loadOf(upstream);
        if (load >= bestLoad) continue;
        best = upstream;
        bestLoad = load;
      }
      return best;
    },
  };
}
