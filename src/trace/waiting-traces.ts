import type { Trace } from './trace.ts';

/** Traces in no order, each with its place in the list, so that nothing is searched or allocated for a request. */
export class WaitingTraces {
  readonly #traces: Trace[] = [];

  get isEmpty(): boolean {
    return this.#traces.length === 0;
  }

  add(trace: Trace): void {
    trace.place = this.#traces.push(trace) - 1;
  }

  /** Removes a trace if it is there. The last one takes its place. */
  remove(trace: Trace): void {
    if (trace.place < 0) return;
    const last = this.#traces.pop() as Trace;
    if (last !== trace) {
      this.#traces[trace.place] = last;
      last.place = trace.place;
    }
    trace.place = -1;
  }

  /** Those whose response was sent before `ms`. */
  answeredBefore(ms: number): Trace[] {
    return this.#traces.filter(({ endMs }) => endMs < ms);
  }
}
