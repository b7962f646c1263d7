import { weightOf } from '../backend-weight.ts';
import type { Balancer } from '../balancer.ts';
import type { Upstream } from '../protocol.ts';

/**
 * Takes one after the other, each as often as its weight says, and evenly mixed: of weights 3 and 1 the second comes every fourth time, and not after
 * three rounds of its own (nginx's smooth weighted round robin).
 */
export function roundRobin(): Balancer {
  const credits = new WeakMap<Upstream, number>();
  return {
    pick(_request, upstreams) {
      let best = upstreams[0] as Upstream;
      let bestCredit = Number.NEGATIVE_INFINITY;
      let total = 0;
      for (const upstream of upstreams) {
        const weight = weightOf(upstream);
        const credit = (credits.get(upstream) ?? 0) + weight;
        credits.set(upstream, credit);
        total += weight;
        if (credit <= bestCredit) continue;
        best = upstream;
        bestCredit = credit;
      }
      credits.set(best, bestCredit - total);
      return best;
    },
  };
}
