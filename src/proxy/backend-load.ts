import type { Upstream } from './upstream.ts';

/** How busy a backend is for its weight. */
export function loadOf({ protocol, weight }: Upstream): number {
  return protocol.active / weight;
}
