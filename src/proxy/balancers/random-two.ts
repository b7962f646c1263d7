import { loadOf } from '../backend-load.ts';
import { type Balancer, rememberLast } from '../balancer.ts';
import type { Upstream } from '../upstream.ts';

/**
 * Draws two by their weights, and takes the one that has fewer requests: nearly as good as looking at all, and several proxies that do the same do not all
 * run to the one that is idle (Mitzenmacher, "The Power of Two Choices").
 *
 * @param random a number from 0 up to 1, `Math.random` by default
 */
export function randomTwo(random: () => number = Math.random): Balancer {
  const sumsOf = rememberLast(sums);
  return {
    pick(_request, upstreams) {
      if (upstreams.length === 1) return upstreams[0] as Upstream;
      const below = sumsOf(upstreams);
      const first = draw(below, random() * (below.at(-1) as number));
      const second = drawAnother(below, first, random);
      const [a, b] = [upstreams[first] as Upstream, upstreams[second] as Upstream];
      return loadOf(b) < loadOf(a) ? b : a;
    },
  };
}

/** For each the weights of all up to it, its own included. */
function sums(upstreams: readonly Upstream[]): number[] {
  let total = 0;
  return upstreams.map(({ weight }) => {
    total += weight;
    return total;
  });
}

/** The first whose sum is above `place`. */
function draw(below: readonly number[], place: number): number {
  let low = 0;
  let high = below.length - 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((below[middle] as number) <= place) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** One that is not `first`: as if its weight were taken out. */
function drawAnother(below: readonly number[], first: number, random: () => number): number {
  const start = first === 0 ? 0 : (below[first - 1] as number);
  const weight = (below[first] as number) - start;
  const place = random() * ((below.at(-1) as number) - weight);
  return draw(below, place < start ? place : place + weight);
}
