import type { HandlerResult } from '../../http/handler.ts';
import type { Later } from '../../http/message.ts';
import { Response } from '../../http/response.ts';

/** A response that arrives later, without the cost of a promise. It can be awaited once. */
export class LaterResponse implements Later<Response> {
  #result: HandlerResult | null = null;
  #onValue: ((response: Response) => unknown) | null = null;
  #onError: ((error: unknown) => unknown) | null = null;

  // biome-ignore lint/suspicious/noThenProperty: callers await the response through this `then`
  then(onValue: (response: Response) => unknown, onError: (error: unknown) => unknown): void {
    this.#onValue = onValue;
    this.#onError = onError;
    if (this.#result !== null) this.#deliver(this.#result);
  }

  /** Must be called exactly once. */
  protected resolve(result: HandlerResult): void {
    if (this.#onValue === null) this.#result = result;
    else this.#deliver(result);
  }

  #deliver(result: HandlerResult): void {
    if (result instanceof Response) this.#onValue?.(result);
    else if (this.#onValue !== null && this.#onError !== null) result.then(this.#onValue, this.#onError);
  }
}
