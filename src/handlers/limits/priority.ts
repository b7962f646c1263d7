import { deriveRequest } from '../../http/derived-request.ts';
import type { Handler } from '../../http/handler.ts';
import type { Priority } from '../../http/message.ts';
import { describeFeature } from '../feature.ts';

/** Options of `priority`. */
export interface PriorityOptions {
  /** Which requests leave the queue of an application first. */
  readonly priority: Priority;
}

/** Gives requests a priority. It counts while they wait for a worker of a Python application: see `Queue`. */
export function priority({ priority: level }: PriorityOptions): Handler {
  return function priority(request, next) {
    return next(deriveRequest(request, { priority: level }));
  };
}

/** `priority` in a route. */
export const priorityFeature = describeFeature({
  key: 'priority',
  scope: 'route',
  description:
    'Which requests a worker gets first if requests wait, and which are refused last: those of a higher priority. Without it, normal.',
  page: 'limits.md#priorities',
  schema: ({ oneOf }) => oneOf(['high', 'normal', 'low']),
  create: (level) => priority({ priority: level }),
});
