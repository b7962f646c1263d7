import type { PoolOptions } from './pool.ts';
import type { SupervisorLog } from './supervisor-options.ts';

/** What the pool calls when an overload has started and when it is over: a line each. */
export function overloadLog(log: SupervisorLog): Pick<PoolOptions, 'onOverload' | 'onOverloadEnd'> {
  return {
    onOverload(waiting, expectedMs) {
      const seconds = (expectedMs / 1000).toFixed(1);
      log.warn(`Overload: ${waiting} requests wait for a worker, the last one for ${seconds} s. More requests get 503`);
    },
    onOverloadEnd(refused) {
      log.info(`The overload is over: ${refused} requests were refused`);
    },
  };
}
