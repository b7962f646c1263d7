import { type Trace, USUAL_DETAILS } from '../trace/trace.ts';

/** More records are not awaited at a time: the oldest is given up. A lane has fewer requests, and a worker sends the record right after each. */
const AWAITED_MAX = 1024;

interface Awaited {
  readonly id: number;
  readonly trace: Trace;
}

/**
 * The traced requests of a lane whose records the worker still has to send. It is a list and not a map: a map that gets and loses entries with each
 * request replaces its tables all the time, and old tables keep traces alive that are over.
 */
export class LaneTraces {
  readonly #awaited: Awaited[] = [];

  /** The worker `pid` gets the request `id` now. */
  expect(id: number, trace: Trace, pid: number): void {
    if (this.#awaited.length >= AWAITED_MAX)
      this.#awaited
        .shift()
        ?.trace.losePython('What happened in Python is not known: the worker has sent no record of the request.');
    trace.awaitPython(pid);
    this.#awaited.push({ id, trace });
  }

  /** The worker gave the request back without starting it. */
  forget(id: number): void {
    this.#remove(id);
  }

  /** The record of the request `id` arrived: bytes `start` to `end`. Returns whether it was awaited. */
  receive(id: number, data: Buffer, start: number, end: number): boolean {
    const trace = this.#remove(id);
    if (trace === null) return false;
    trace.receivePython(data.subarray(start, end));
    return true;
  }

  /**
   * No record will come any more. `end` says what happened to the worker: `the worker died of SIGKILL`. A request that the server has answered itself,
   * such as one that took too long, has failed before.
   */
  lose(end: string): void {
    for (const { trace } of this.#awaited.splice(0)) {
      if (trace.status === 0 || trace.returnedMs >= 0) trace.fail(end.replace(/,$/, ''));
      trace.losePython(`What happened in Python is not known: ${end} before it sent its record of the request.`);
    }
  }

  /** The trace of a request, mostly of the first one, which is not awaited any more; null if it was not. */
  #remove(id: number): Trace | null {
    const index = this.#awaited.findIndex((awaited) => awaited.id === id);
    if (index < 0) return null;
    const found = this.#awaited[index] as Awaited;
    if (index === 0) this.#awaited.shift();
    else this.#awaited.splice(index, 1);
    return found.trace;
  }
}

/** What a worker is to record, as the last item of a request in a batch. */
export function traceOptions({ details }: Trace): string {
  if (details === USUAL_DETAILS) return 'full';
  const { sqlParameters, locals, profile } = details;
  return `full${sqlParameters ? ' sql_parameters' : ''}${locals ? ' locals' : ''}${profile ? ' profile' : ''}`;
}
