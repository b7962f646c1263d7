import { loadOf } from '../backend-load.ts';
import { type Balancer, rememberLast } from '../balancer.ts';
import type { Upstream } from '../upstream.ts';

/**
 * Draws two backends by weight and chooses the one with fewer requests. The result is nearly as good as comparing all
 * backends. Several proxies that balance like this do not all choose the same idle backend (Mitzenmacher, "The Power of
 * Two Choices").
 *
 * @param random returns a number from 0 up to but not including 1, `Math.random` by default
 */
export function randomTwo(random: () => number = Math.random): Balancer {
  const sumsOf = rememberLast(cumulativeWeights);
  return {
    pick(_request, upstreams) {
      if (upstreams.length === 1) return upstreams[0] as Upstream;
      const sums = sumsOf(upstreams);
      const first = draw(sums, random() * (sums.at(-1) as number));
      const second = drawAnother(sums, first, random);
      const [a, b] = [upstreams[first] as Upstream, upstreams[second] as Upstream];
      return loadOf(b) < loadOf(a) ? b : a;
    },
  };
}

/** For each backend: the sum of the weights up to and including its own. */
function cumulativeWeights(upstreams: readonly Upstream[]): number[] {
  let total = 0;
  return upstreams.map(({ weight }) => {
    total += weight;
    return total;
  });
}

/** Index of the first sum above `position`. */
function draw(sums: readonly number[], position: number): number {
  let low = 0;
  let high = sums.length - 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sums[middle] as number) <= position) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Draws a backend other than `first`, as if the weight of `first` were removed. */
function drawAnother(sums: readonly number[], first: number, random: () => number): number {
  const start = first === 0 ? 0 : (sums[first - 1] as number);
  const weight = (sums[first] as number) - start;
  const position = random() * ((sums.at(-1) as number) - weight);
  return draw(sums, position < start ? position : position + weight);
}
