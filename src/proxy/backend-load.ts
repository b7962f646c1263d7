import type { Upstream } from './upstream.ts';

/** Requests in progress at a backend, divided by its weight. */
export function loadOf({ client, weight }: Upstream): number {
  return client.active / weight;
}
