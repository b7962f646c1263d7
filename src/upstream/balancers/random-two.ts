import { loadOf, weightOf } from '../backend-weight.ts';
import type { Balancer } from '../balancer.ts';
import type { Upstream } from '../protocol.ts';

/**
 * Draws two by their weights, and takes the one that has fewer requests: nearly as good as looking at all, and several proxies that do the same do not all
 * run to the one that is idle (Mitzenmacher, "The Power of Two Choices").
 *
 * @param random a number from 0 up to 1, `Math.random` by default
 */
export function randomTwo(random: () => number = Math.random): Balancer {
  return {
    pick(_request, upstreams) {
      if (upstreams.length === 1) return upstreams[0] as Upstream;
      const first = draw(upstreams, null, random);
      const second = draw(upstreams, first, random);
      return loadOf(second) < loadOf(first) ? second : first;
    },
  };
}

/** One of `upstreams` but not `other`. */
function draw(upstreams: readonly Upstream[], other: Upstream | null, random: () => number): Upstream {
  let total = 0;
  for (const upstream of upstreams) if (upstream !== other) total += weightOf(upstream);
  let left = random() * total;
  let drawn = upstreams[0] as Upstream;
  for (const upstream of upstreams) {
    if (upstream === other) continue;
    drawn = upstream;
    left -= weightOf(upstream);
    if (left < 0) break;
  }
  return drawn;
}
