import { type Balancer, isEven, rememberLast } from '../balancer.ts';
import type { Upstream } from '../upstream.ts';

/**
 * Backends take turns, each as often as its weight demands, and evenly mixed. With weights 3 and 1 the second backend
 * gets every fourth request (nginx's smooth weighted round robin).
 */
export function roundRobin(): Balancer {
  const areEven = rememberLast(isEven);
  const credits = new WeakMap<Upstream, number>();
  let turn = -1;
  return {
    pick(_request, upstreams) {
      if (!areEven(upstreams)) return pickByCredit(credits, upstreams);
      turn = (turn + 1) % upstreams.length;
      return upstreams[turn] as Upstream;
    },
  };
}

function pickByCredit(credits: WeakMap<Upstream, number>, upstreams: readonly Upstream[]): Upstream {
  let best = upstreams[0] as Upstream;
  let bestCredit = Number.NEGATIVE_INFINITY;
  let total = 0;
  for (const upstream of upstreams) {
    const credit = (credits.get(upstream) ?? 0) + upstream.weight;
    credits.set(upstream, credit);
    total += upstream.weight;
    if (credit <= bestCredit) continue;
    best = upstream;
    bestCredit = credit;
  }
  credits.set(best, bestCredit - total);
  return best;
}
