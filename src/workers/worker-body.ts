import { ViaductError } from '../errors.ts';
import type { BodySink, BodySource } from '../http/message.ts';

/** The lane that a body comes from, as far as the body needs it. */
export interface BodyLane {
  /** Lets the worker wait for the client of `request`. */
  pause(request: number): void;
  resume(request: number): void;
  /** Tells the worker that nobody reads on: it stops iterating and closes the iterable. */
  abandon(request: number): void;
}

/**
 * A response body that arrives from a worker in parts. What the client does not take yet waits here, so that a slow client does
 * not hold the worker; past `bytesMax` the lane is paused, and then the worker waits after all.
 */
export class WorkerBody implements BodySource {
  readonly #lane: BodyLane;
  readonly #request: number;
  readonly #bytesMax: number;
  #sink: BodySink | null = null;
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #flow: 'new' | 'flowing' | 'paused' | 'cancelled' | 'finished' = 'new';
  #arrival: 'open' | 'ended' | 'aborted' = 'open';
  #lanePaused = false;

  constructor(lane: BodyLane, request: number, bytesMax: number) {
    this.#lane = lane;
    this.#request = request;
    this.#bytesMax = bytesMax;
  }

  start(sink: BodySink): void {
    this.#sink = sink;
    this.#flow = 'flowing';
    this.#pass();
  }

  pause(): void {
    if (this.#flow === 'flowing') this.#flow = 'paused';
  }

  resume(): void {
    if (this.#flow !== 'paused') return;
    this.#flow = 'flowing';
    this.#pass();
  }

  cancel(): void {
    if (this.#flow === 'cancelled' || this.#flow === 'finished') return;
    this.#flow = 'cancelled';
    this.#waiting = [];
    this.#waitingBytes = 0;
    if (this.#arrival === 'open') this.#lane.abandon(this.#request);
    this.#release();
  }

  /** A block came from the worker. It is kept as it is: the lane does not use its memory again. */
  arrive(block: Uint8Array): void {
    if (this.#flow === 'flowing' && this.#waiting.length === 0) {
      this.#sink?.write(block);
      return;
    }
    if (this.#flow === 'cancelled') return;
    this.#waiting.push(block);
    this.#waitingBytes += block.length;
    if (this.#waitingBytes > this.#bytesMax && !this.#lanePaused) {
      this.#lanePaused = true;
      this.#lane.pause(this.#request);
    }
  }

  /** The worker has sent everything. */
  complete(): void {
    this.#arrival = 'ended';
    this.#pass();
  }

  /** The worker failed or died in the middle. */
  abort(): void {
    this.#arrival = 'aborted';
    this.#pass();
  }

  #pass(): void {
    const sink = this.#sink;
    if (sink === null || this.#flow !== 'flowing') return;
    let next = 0;
    while (next < this.#waiting.length && this.#flowing()) {
      const block = this.#waiting[next] as Uint8Array;
      next += 1;
      this.#waitingBytes -= block.length;
      sink.write(block);
    }
    if (next > 0) this.#waiting = this.#waiting.slice(next);
    if (this.#waitingBytes <= this.#bytesMax / 2) this.#release();
    if (!this.#flowing() || this.#waiting.length > 0 || this.#arrival === 'open') return;
    this.#flow = 'finished';
    if (this.#arrival === 'ended') sink.end();
    else
      sink.fail(new ViaductError('WORKER', 'Cannot complete a response: the application failed in the middle of it'));
  }

  /** A method because `sink.write` may pause or cancel while it runs. */
  #flowing(): boolean {
    return this.#flow === 'flowing';
  }

  #release(): void {
    if (!this.#lanePaused) return;
    this.#lanePaused = false;
    this.#lane.resume(this.#request);
  }
}
