import { ViaductError } from '../errors.ts';
import { Spool, type SpoolLimits } from '../http/buffering/spool.ts';
import type { BodySource } from '../http/message.ts';

/** The part of a lane that a response body needs. */
export interface BodyLane {
  /** Makes the worker wait for the client of `request`. */
  pause(request: number): void;
  resume(request: number): void;
  /** Notifies the worker that the client reads no further. The worker stops iterating and closes the iterable. */
  abandon(request: number): void;
}

/**
 * A response body that arrives from a worker in parts: the lane writes them. What the client does not take waits in
 * memory or in a file, so that a slow client does not occupy the worker. Beyond the limits the lane is paused, and the
 * worker has to wait.
 */
export class WorkerBody extends Spool {
  constructor(lane: BodyLane, request: number, limits: SpoolLimits) {
    super(new WorkerSource(lane, request), limits);
  }

  /** The worker failed or died in the middle of the body. */
  abort(): void {
    this.fail(new ViaductError('WORKER', 'Cannot complete a response: the application failed in the middle of it'));
  }
}

/** The worker as the source of one body. */
class WorkerSource implements BodySource {
  readonly #lane: BodyLane;
  readonly #request: number;

  constructor(lane: BodyLane, request: number) {
    this.#lane = lane;
    this.#request = request;
  }

  /** The worker has started already. */
  start(): void {}

  pause(): void {
    this.#lane.pause(this.#request);
  }

  resume(): void {
    this.#lane.resume(this.#request);
  }

  cancel(): void {
    this.#lane.abandon(this.#request);
    this.#lane.resume(this.#request);
  }
}
