import type { SpoolLimits } from '../http/buffering/spool.ts';
import type { Response } from '../http/response.ts';
import type { Overdue } from './overdue.ts';
import type { PendingRequest } from './pending-request.ts';
import type { FileRange } from './response-frame.ts';

/** A lane as its owner knows it. */
export interface LaneRef {
  readonly index: number;
}

/** What a lane needs from its pool and worker. */
export interface LaneOwner {
  /** The process id of the worker. */
  readonly pid: number;
  /** How much of a response waits for a slow client before the worker has to wait. */
  readonly responseLimits: SpoolLimits;
  /** How many repeated field sections the thread of a lane may keep. */
  readonly sectionsMax: number;
  /** How many requests its lanes have done. They count here. */
  requests: number;
  /** A request has left the lane, so there may be room for another. */
  onRoom(lane: LaneRef): void;
  /** The application failed. Unless the response has started, the owner must settle the request. */
  onFailed(lane: LaneRef, pending: PendingRequest, traceback: string): void;
  /** The worker holds an open file that is the body of `head`. */
  onFile(lane: LaneRef, pending: PendingRequest, head: Response, file: FileRange): void;
  /** The running request has exceeded its deadline. Its client is answered, and its thread must be asked to end it. */
  onOverdue(lane: LaneRef, overdue: Overdue): void;
  /** The thread has ended the overdue request by an exception, which may have left anything half done. */
  onInterrupted(lane: LaneRef): void;
  /** The thread did not end the overdue request in time, and will not be used again. */
  onStuck(lane: LaneRef, overdue: Overdue): void;
  /** The client of this request left. */
  onAbandoned(lane: LaneRef, request: number): void;
  /** The owner must ask the worker to give back the requests that wait behind the running one. */
  onRecall(lane: LaneRef): void;
  /** The worker gave these requests back without starting them. */
  onRecalled(pendingRequests: readonly PendingRequest[]): void;
  /** The worker violated the protocol. The lane has closed its socket. */
  onBroken(lane: LaneRef, reason: string): void;
}

/**
 * A stalled lane runs a request that is slow; it receives no other request until the slow one is done. A recalling
 * lane receives no request until the worker has reported what it gives back.
 */
export type LaneState = 'open' | 'stalled' | 'recalling' | 'closed';

/** The pool's view of one lane. */
export interface LaneEntry {
  /** The state of the lane or the number of its requests has changed. */
  update(): void;
  /** A request of the lane took so long in the worker. */
  measure(ns: number): void;
}
