import type { Later, Request } from '../http/message.ts';
import type { Response } from '../http/response.ts';
import { marshalEnviron } from './environ.ts';
import { MARSHAL_NONE, MARSHAL_TUPLE_4, marshalBytesHead, marshalInt, marshalText } from './marshal.ts';
import type { ReceivedBody } from './request-body.ts';
import type { WorkerBody } from './worker-body.ts';

/**
 * A request on its way through the pool, and at the same time the promise of its response (`Later`), without the cost of a
 * Promise. The pool owns it until `settle`; a recall moves it from a lane back to the queue.
 */
export class Job implements Later<Response> {
  readonly id: number;
  readonly request: Request;
  /** The complete body; null when the request has none. */
  body: ReceivedBody | null = null;
  /** Set when the body of the response arrives in parts. */
  stream: WorkerBody | null = null;
  /** The worker that ran it died, and it was allowed to start once more. */
  retried = false;
  #onResponse: ((response: Response) => unknown) | null = null;
  #response: Response | null = null;

  constructor(id: number, request: Request) {
    this.id = id;
    this.request = request;
  }

  // biome-ignore lint/suspicious/noThenProperty: a job can be awaited
  then(onResponse: (response: Response) => unknown, _onError: (error: unknown) => unknown): void {
    if (this.#response === null) this.#onResponse = onResponse;
    else onResponse(this.#response);
  }

  get settled(): boolean {
    return this.#response !== null;
  }

  /** Hands the response to whoever waits. A job is settled once; what comes later is dropped. */
  settle(response: Response): void {
    if (this.#response !== null) return;
    this.#response = response;
    this.body?.release();
    this.#onResponse?.(response);
  }

  /** The job as an item of a batch: request id, listener, environ, body. A large body in memory follows as `tail`. */
  encode(): string {
    const { body, request } = this;
    const head = MARSHAL_TUPLE_4 + marshalInt(this.id) + marshalInt(request.peer.listener);
    if (body === null) return head + marshalEnviron(request, -1) + MARSHAL_NONE;
    const start = head + marshalEnviron(request, body.length);
    if (body.path !== null) return start + marshalText(body.path);
    return start + marshalBytesHead(body.length);
  }
}
