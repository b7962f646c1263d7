/** The setting because of which a worker is replaced. */
export type RecycleCause = 'max_requests' | 'max_rss_bytes' | 'max_lifetime_ms' | 'request_timeout_ms';

/** What has happened to the workers of an application since the start of the server process. Only metrics read it. */
export class WorkerCounts {
  /** Workers that became ready. */
  started = 0;
  /** Workers that ended because they were told to. */
  finished = 0;
  /** Workers that ended otherwise. */
  died = 0;
  /** Workers that another one has replaced. */
  readonly recycled: Record<RecycleCause, number> = {
    max_requests: 0,
    max_rss_bytes: 0,
    max_lifetime_ms: 0,
    request_timeout_ms: 0,
  };
}
