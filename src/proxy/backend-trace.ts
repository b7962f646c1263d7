import type { Request } from '../http/message.ts';
import type { Trace } from '../trace/trace.ts';
import type { HopFields } from '../trace/trace-record.ts';
import { type Backend, backendName } from './backend.ts';

/**
 * Records what one backend does with a traced request: a span from the wait for a connection to the last byte, with attributes for its parts in
 * microseconds: `connect_us`, `send_us`, `wait_us` until the head of the response, and `receive_us`.
 */
export class BackendTrace {
  readonly #trace: Trace;
  readonly #name: string;
  readonly #span: number;
  /** The start of the present part. */
  #sinceMs = performance.now();

  constructor(trace: Trace, backend: Backend) {
    this.#trace = trace;
    this.#name = backendName(backend);
    this.#span = trace.add('backend', this.#name, this.#sinceMs, -1);
  }

  /** There is a connection, which gets these fields now. */
  connected(fields: HopFields): void {
    this.#note('connect_us');
    this.#trace.passedRequest(this.#span, `the proxy to ${this.#name}`, fields);
  }

  /** The backend has all of the request. */
  sent(): void {
    this.#note('send_us');
  }

  responded(status: number, lines: string): void {
    this.#note('wait_us');
    this.#trace.set(this.#span, 'status', status);
    this.#trace.passedResponse(this.#span, this.#name, status, lines);
  }

  /** The backend gave no response. */
  failed(reason: string): void {
    this.#trace.set(this.#span, 'error', reason);
    this.over();
  }

  /** The content is complete, or nobody waits for it any more. */
  over(): void {
    if (this.#trace.isOver(this.#span)) return;
    this.#note('receive_us');
    this.#trace.finish(this.#span);
  }

  #note(part: string): void {
    const now = performance.now();
    this.#trace.set(this.#span, part, Math.round((now - this.#sinceMs) * 1000));
    this.#sinceMs = now;
  }
}

/** The recorder of a request for one backend; null unless the request is traced. */
export function backendTraceOf({ record }: Request, backend: Backend): BackendTrace | null {
  return record.trace === null ? null : new BackendTrace(record.trace, backend);
}
