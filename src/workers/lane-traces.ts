import type { Trace } from '../trace/trace.ts';

/** More records are not awaited at a time: the oldest is given up. A lane has fewer requests, and a worker sends the record right after each. */
const AWAITED_MAX = 1024;

/** The traced requests of a lane whose records the worker still has to send. */
export class LaneTraces {
  readonly #awaited = new Map<number, Trace>();

  /** The worker `pid` gets the request `id` now. */
  expect(id: number, trace: Trace, pid: number): void {
    const [oldest] = this.#awaited;
    if (oldest !== undefined && this.#awaited.size >= AWAITED_MAX) {
      this.#awaited.delete(oldest[0]);
      oldest[1].losePython('What happened in Python is not known: the worker has sent no record of the request.');
    }
    trace.awaitPython(pid);
    this.#awaited.set(id, trace);
  }

  /** The worker gave the request back without starting it. */
  forget(id: number): void {
    this.#awaited.delete(id);
  }

  /** The record of the request `id` arrived: bytes `start` to `end`, which are copied. Returns whether it was awaited. */
  receive(id: number, data: Buffer, start: number, end: number): boolean {
    const trace = this.#awaited.get(id);
    if (trace === undefined) return false;
    this.#awaited.delete(id);
    const payload = new Uint8Array(end - start);
    payload.set(data.subarray(start, end));
    trace.receivePython(payload);
    return true;
  }

  /** No record will come any more. */
  lose(): void {
    for (const trace of this.#awaited.values())
      trace.losePython(
        'What happened in Python is not known: the worker ended before it sent its record of the request.',
      );
    this.#awaited.clear();
  }
}

/** What a worker is to record, as the last item of a request in a batch. */
export function traceOptions({ details }: Trace): string {
  const { sqlParameters, locals, profile } = details;
  return `full${sqlParameters ? ' sql_parameters' : ''}${locals ? ' locals' : ''}${profile ? ' profile' : ''}`;
}
