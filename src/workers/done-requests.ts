import type { LoggedPart } from '../http/request-id.ts';
import { newRecord } from '../http/request-record.ts';
import type { PendingRequest } from './pending-request.ts';

/** A thread sends at least as many responses at once as wait in its lane. */
const DONE_MAX = 64;

interface Done extends LoggedPart {
  id: number;
  method: string;
  path: string;
  record: LoggedPart['record'];
}

/**
 * The last requests that are done in a lane, for lines of the log that come behind their responses: also `close()` may
 * write some. It is one request, and more once `grow` was called. Nothing of their content is kept.
 */
export class DoneRequests {
  readonly #done: Done[] = [nothing()];
  #next = 0;

  /** It costs a few stores. */
  add({ id, request: { method, path, record } }: PendingRequest): void {
    const done = this.#done[this.#next] as Done;
    this.#next = (this.#next + 1) % this.#done.length;
    done.id = id;
    done.method = method;
    done.path = path;
    done.record = record;
  }

  find(id: number): LoggedPart | null {
    return this.#done.find((done) => done.id === id) ?? null;
  }

  /** Must be called when the application writes a line: the next one may come behind several responses. */
  grow(): void {
    if (this.#done.length > 1) return;
    while (this.#done.length < DONE_MAX) this.#done.push(nothing());
    this.#next = 1;
  }
}

/** No request has the id 0. */
function nothing(): Done {
  return { id: 0, method: '', path: '', record: newRecord() };
}
