import type { ResponseBody } from './contract.ts';

/** Who sends what is iterated. */
export interface BlockTaker {
  /** Returns whether more is wanted. */
  send(block: Uint8Array): boolean;
  ready(): Promise<void>;
  finish(): void;
  fail(error: unknown): void;
  close(body: ResponseBody): void;
}

/**
 * Iterates `body`, a block at a time: the next one is asked for when the last one has left and there is room. Whatever happens, an iterator that is not
 * exhausted is told (`return`), and then the body is closed, once. Returns a function that stops it, also while a block is awaited.
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
        if (value instanceof Uint8Array && value.length === 0) continue;
        if (!this.#taker.send(value)) {
          this.stop();
          return;
        }
        await this.#taker.ready();
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

  /** A method, because it may be stopped while it waits. */
  #isRunning(): boolean {
    return this.#state === 'running';
  }
}
