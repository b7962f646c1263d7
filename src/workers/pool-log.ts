import { requestFields } from '../http/request-id.ts';
import type { PoolOptions } from './pool-options.ts';
import type { SupervisorLog } from './supervisor-options.ts';

/** What the pool calls when something goes wrong: a line each. */
export function poolLog(
  log: SupervisorLog,
): Pick<PoolOptions, 'onError' | 'onWorkerDied' | 'onOverload' | 'onOverloadEnd'> {
  return {
    onError: (message, request) => log.error(message, requestFields(request)),
    onWorkerDied(request, runsAgain) {
      const end = runsAgain ? ', which runs once more' : '';
      log.error(`The worker died while it ran this request${end}`, {
        worker: request.record.worker,
        ...requestFields(request),
      });
    },
    onOverload(waiting, expectedMs) {
      const seconds = (expectedMs / 1000).toFixed(1);
      log.warn(`Overload: ${waiting} requests wait for a worker, the last one for ${seconds} s. More requests get 503`);
    },
    onOverloadEnd(refused) {
      log.info(`The overload is over: ${refused} requests were refused`);
    },
  };
}
