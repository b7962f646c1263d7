import { deriveRequest } from '../../http/derived-request.ts';
import type { Handler } from '../../http/handler.ts';
import { describeFeature } from '../feature.ts';

/** Options of `requestTimeout`. */
export interface RequestTimeoutOptions {
  /** Milliseconds from the complete request to the start of its response; 0 for any. */
  readonly timeoutMs: number;
}

/** Gives requests a deadline of their own. The workers of a Python application keep it: see `DeadlineWatch`. */
export function requestTimeout({ timeoutMs }: RequestTimeoutOptions): Handler {
  return function requestTimeout(request, next) {
    return next(deriveRequest(request, { timeoutMs }));
  };
}

/** `request_timeout_ms` in a route; for the whole site it is a setting. */
export const requestTimeoutFeature = describeFeature({
  key: 'request_timeout_ms',
  scope: 'route',
  description:
    'Limits the time from a complete request to the start of its response from Python; then 504. Without it, the setting request_timeout_ms applies.',
  page: 'deadlines.md',
  schema: ({ duration }) => duration(0),
  create: (timeoutMs) => requestTimeout({ timeoutMs }),
});
