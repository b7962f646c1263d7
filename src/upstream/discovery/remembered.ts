import type { Backend } from '../../proxy/backend.ts';
import type { Discovery } from '../../proxy/discovery/discovery.ts';

/** What engines have found last, by what was asked. Whoever makes one discovery after another for the same engine keeps it. */
export type Findings = Map<string, readonly Backend[]>;

/** `discovery`, which begins with what was found by one before it: so a server that takes another configuration while its engine is down keeps its backends. */
export function remembered(discovery: Discovery, findings: Findings, key: string): Discovery {
  return {
    start(found) {
      const last = findings.get(key);
      if (last !== undefined) found(last);
      discovery.start((backends) => {
        findings.set(key, backends);
        found(backends);
      });
    },
    stop: () => discovery.stop(),
  };
}
