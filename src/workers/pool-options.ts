import type { Request } from '../http/message.ts';
import type { AdmissionOptions } from './admission.ts';
import type { DeadLaneOptions } from './dead-lane.ts';
import type { DeadlineLimits } from './deadline-watch.ts';
import { newQueueCounters, type QueueCounters } from './queue-counters.ts';
import type { SpoolOptions } from './request-body.ts';

export interface PoolOptions extends SpoolOptions, DeadlineLimits, AdmissionOptions, DeadLaneOptions {
  /** Whether the environ has the id of the request. */
  readonly requestId: boolean;
  /** Whether the environ has the time that the request waited in the queue. */
  readonly queueTime: boolean;
  /** Maximum number of requests in one worker thread's lane. */
  readonly laneDepthMax: number;
  /** How many workers can compute at the same time. Default: what the machine and its limits allow. */
  readonly processors?: number;
  readonly onError: (message: string, request: Request) => void;
}

/** What the pools of one application share: requests and lanes may move from one to another. */
export interface PoolCommon {
  /** The last id of a request. */
  lastId: number;
  /** What became of requests that could not be sent at once. For the status and for metrics. */
  readonly queueCounters: QueueCounters;
}

export function newPoolCommon(): PoolCommon {
  return { lastId: 0, queueCounters: newQueueCounters() };
}
