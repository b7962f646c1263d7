import type { Backend } from '../backend.ts';
import type { Discovery } from './discovery.ts';

/**
 * The last backends that each discovery source returned. An owner that replaces one discovery by another keeps this
 * map.
 */
export type DiscoveredBackends = Map<string, readonly Backend[]>;

/**
 * Wraps `discovery` so that it starts with the last backends found under `key`. A server that loads a new configuration
 * while the source is down therefore keeps its backends.
 */
export function rememberBackends(discovery: Discovery, discovered: DiscoveredBackends, key: string): Discovery {
  return {
    start(onBackends) {
      const last = discovered.get(key);
      if (last !== undefined) onBackends(last);
      discovery.start((backends) => {
        discovered.set(key, backends);
        onBackends(backends);
      });
    },
    stop: () => discovery.stop(),
  };
}
