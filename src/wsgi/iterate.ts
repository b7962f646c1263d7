import { setImmediate as nextTurn } from 'node:timers/promises';
import type { ResponseBody } from './contract.ts';

/** Sends the blocks of an iterated body. */
export interface BlockTaker {
  /** Returns whether the client wants more. */
  send(block: Uint8Array): boolean;
  ready(): Promise<void>;
  finish(): void;
  fail(error: unknown): void;
  close(body: ResponseBody): void;
}

/**
 * Iterates `body`, a block at a time: it requests the next block when the last one was sent and there is room, in a later turn of the event loop. In every case it calls `return` of an iterator
 * that is not exhausted, and then `close` of the body once. Returns a function that stops the iteration, also while it waits for a block.
 */
export function iterate(body: ResponseBody, taker: BlockTaker): () => void {
  const iteration = new Iteration(body, taker);
  void iteration.run();
  return () => iteration.stop();
}

class Iteration {
  readonly #body: ResponseBody;
  readonly #taker: BlockTaker;
  #iterator: Iterator<Uint8Array> | AsyncIterator<Uint8Array> | null = null;
  #state: 'running' | 'over' = 'running';

  constructor(body: ResponseBody, taker: BlockTaker) {
    this.#body = body;
    this.#taker = taker;
  }

  async run(): Promise<void> {
    const body = this.#body;
    try {
      const isAsync = Symbol.asyncIterator in body;
      const iterator = isAsync ? body[Symbol.asyncIterator]() : body[Symbol.iterator]();
      this.#iterator = iterator;
      for (;;) {
        const step = iterator.next();
        const { done, value } = isAsync ? await step : (step as IteratorResult<Uint8Array>);
        if (!this.#isRunning()) return;
        if (done === true) break;
        const isEmpty = value instanceof Uint8Array && value.length === 0;
        if (!isEmpty && !this.#taker.send(value)) {
          this.stop();
          return;
        }
        await (isEmpty ? nextTurn() : this.#taker.ready());
        if (!this.#isRunning()) return;
      }
      this.#iterator = null;
      this.#taker.finish();
    } catch (error) {
      this.#taker.fail(error);
    }
    this.stop();
  }

  stop(): void {
    if (!this.#isRunning()) return;
    this.#state = 'over';
    try {
      const returned: unknown = this.#iterator?.return?.();
      if (returned instanceof Promise) returned.catch((error: unknown) => this.#taker.fail(error));
    } catch (error) {
      this.#taker.fail(error);
    }
    this.#taker.close(this.#body);
  }

  /** A method, because the iteration may be stopped while it waits. */
  #isRunning(): boolean {
    return this.#state === 'running';
  }
}
