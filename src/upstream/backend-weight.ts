import type { Upstream } from './protocol.ts';

/** Share of a backend's requests, beside those of the others: 1 unless it says more. */
export function weightOf({ backend }: Upstream): number {
  return backend.weight ?? 1;
}

/** How busy a backend is for its weight. */
export function loadOf(upstream: Upstream): number {
  return upstream.protocol.active / weightOf(upstream);
}
