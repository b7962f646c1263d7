import type { BackendRequestContext } from '../client/backend-request.ts';
import type { TickClock } from '../tick-clock.ts';
import type { Http2Pool } from './http2-pool.ts';
import type { RequestFields } from './request-fields.ts';

/** What all requests to one backend share. */
export interface Http2RequestContext extends BackendRequestContext {
  readonly clock: TickClock;
  readonly pool: Http2Pool;
  readonly fields: RequestFields;
  /** A request is over. Must be called exactly once for each request. */
  onOver(): void;
}
