import { type Handler, mapResponse } from '../../http/handler.ts';
import type { RequestRecord } from '../../http/message.ts';
import { CidrList } from '../../http/semantics/cidr.ts';
import { describeFeature } from '../feature.ts';
import { mergeFields } from './field-rules.ts';

/** Options of `serverTiming`. */
export interface ServerTimingOptions {
  /** Whether a client with this numeric address ('' on a Unix socket) gets the field. All do by default. */
  readonly allow?: (address: string) => boolean;
}

/**
 * Tells the client in `Server-Timing` (W3C Server Timing) how long its request took, in milliseconds: `queue`, the wait for a worker; `app`, the time
 * in Python until the response started; and `total`, from this handler to the start of the response. The first two are left out if no worker
 * answered. Browsers show them beside the request. They tell strangers how busy the server is.
 */
export function serverTiming({ allow = () => true }: ServerTimingOptions = {}): Handler {
  return function serverTiming(request, next) {
    if (!allow(request.peer.remoteAddress)) return next(request);
    const startedAtMs = performance.now();
    return mapResponse(next(request), (response) => {
      if (response.status < 200) return response;
      const totalMs = performance.now() - startedAtMs;
      return mergeFields(response, { add: ['Server-Timing', metrics(request.record, totalMs)] });
    });
  };
}

/** `server_timing` in a configuration. */
export const serverTimingFeature = describeFeature({
  key: 'server_timing',
  scope: 'site',
  description: 'Tells clients in Server-Timing how long a request waited and how long the application took.',
  page: 'handlers.md#server_timing',
  schema: ({ feature, listOf, words }) =>
    feature({
      allow: listOf(words('an address range'))
        .prefault([])
        .meta({ description: 'Clients that get it.', defaultText: 'all' }),
    }),
  create: ({ allow }) => {
    const allowed = CidrList.parse(allow);
    return serverTiming(allow.length === 0 ? {} : { allow: (address) => allowed.matches(address) });
  },
});

function metrics({ queueUs, pythonUs }: RequestRecord, totalMs: number): string {
  const total = `total;dur=${totalMs.toFixed(1)}`;
  if (queueUs < 0) return total;
  const queue = `queue;dur=${(queueUs / 1000).toFixed(1)}`;
  return pythonUs < 0 ? `${queue}, ${total}` : `${queue}, app;dur=${(pythonUs / 1000).toFixed(1)}, ${total}`;
}
