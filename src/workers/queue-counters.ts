/** Why the queue gave a request up: a limit of `PoolOptions`, or the deadline of the request. */
export type Shed = keyof QueueCounters['shed'];

/** What happened to the requests that a pool could not send to a worker at once, since the pool was made. */
export interface QueueCounters {
  /** Requests that waited in the queue. */
  entered: number;
  /** Requests whose client left while they waited. No worker saw them. */
  left: number;
  /** Requests that were refused with 503, when they came or after they had waited. */
  readonly shed: {
    /** As many requests waited as `queueMax` allows. */
    queueMax: number;
    /** Under overload, the wait was longer than `queueDelayMs`. */
    queueDelay: number;
    /** The same for a client that asked for more than its share. */
    clientQueueDelay: number;
    /** They waited for `queueWaitMaxMs`. */
    queueWaitMax: number;
    /** They waited until their deadline, `requestTimeoutMs` or that of their route. */
    deadline: number;
  };
}

export function newQueueCounters(): QueueCounters {
  const shed = { queueMax: 0, queueDelay: 0, clientQueueDelay: 0, queueWaitMax: 0, deadline: 0 };
  return { entered: 0, left: 0, shed };
}

/** The reasons of a 503, as the access log has them. */
export const SHED_REASONS: Readonly<Record<Shed, string>> = {
  queueMax: 'queue full',
  queueDelay: 'queue full',
  clientQueueDelay: 'client queue full',
  queueWaitMax: 'waited too long',
  deadline: 'waited too long',
};
