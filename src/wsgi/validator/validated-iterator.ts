import { describe, isPromise } from '../contract-errors.ts';
import type { ValidatedCall } from './validated-call.ts';

/** How a body was used. It is kept apart from the body, to be read after the body was collected. */
export interface Use {
  readonly closes: boolean;
  closed: boolean;
  iterated: boolean;
  /** An iterator with a `return` was started and has not reached its end. */
  unfinished: boolean;
}

/** Iterates a sync or async body, and checks each block. */
export class ValidatedIterator {
  readonly #iterator: Partial<AsyncIterator<unknown> | Iterator<unknown>> | undefined;
  readonly #isAsync: boolean;
  readonly #use: Use;
  readonly #call: ValidatedCall;
  /** The body, which must not be collected before its iterator. */
  readonly body: unknown;
  /** Absent if the iterator has none. */
  readonly return?: () => unknown;
  #isOver = false;

  constructor(iterator: unknown, isAsync: boolean, use: Use, call: ValidatedCall, body: unknown) {
    this.#isAsync = isAsync;
    this.#use = use;
    this.#call = call;
    this.body = body;
    this.#iterator = isObject(iterator) ? (iterator as Partial<Iterator<unknown>>) : undefined;
    if (typeof this.#iterator?.next !== 'function')
      call.reporter.report('iterator-malformed', `a body gave ${describe(iterator)} for its iterator`);
    if (typeof this.#iterator?.return === 'function') {
      this.return = () => this.#return();
      use.unfinished = true;
    }
  }

  next(): unknown {
    if (this.#use.closed) this.#call.reporter.report('iterated-after-close', 'a block was asked for after close');
    if (this.#isOver) return this.#isAsync ? Promise.resolve(END) : END;
    if (this.#isAsync) return this.#nextLater();
    return this.#guard(() => this.#check(this.#step()));
  }

  [Symbol.iterator](): this {
    return this;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async #nextLater(): Promise<unknown> {
    let step: unknown;
    try {
      step = await this.#step();
    } catch (error) {
      this.#over();
      throw error;
    }
    if (this.#isOver) return step; // return was called while the block was awaited
    return this.#guard(() => this.#check(step));
  }

  #step(): unknown {
    try {
      return this.#iterator?.next?.();
    } catch (error) {
      this.#over();
      throw error;
    }
  }

  #check(step: unknown): unknown {
    const { reporter } = this.#call;
    if (!isObject(step) || isPromise(step)) {
      const shown = isPromise(step) ? 'a promise, as an async iterator does' : describe(step);
      reporter.report('iterator-malformed', `an iterator of blocks gave ${shown}`);
      return step;
    }
    const { done, value } = step as { done?: unknown; value?: unknown };
    if (done !== true) {
      this.#call.checkBlock(value);
      return step;
    }
    this.#over();
    this.#call.checkEnd();
    if (!this.#use.closes) this.#call.end();
    return step;
  }

  /** A caller that gets an exception need not call `return`, so `return` is called here. */
  #guard(check: () => unknown): unknown {
    try {
      return check();
    } catch (error) {
      if (!this.#isOver) this.#returnQuietly();
      throw error;
    }
  }

  #returnQuietly(): void {
    try {
      const returned = this.#return();
      if (isPromise(returned)) returned.then(undefined, () => {});
    } catch {}
  }

  #return(): unknown {
    if (this.#isOver) return this.#isAsync ? Promise.resolve(END) : END;
    this.#over();
    if (!this.#use.closes) this.#call.end();
    return this.#iterator?.return?.();
  }

  #over(): void {
    this.#isOver = true;
    this.#use.unfinished = false;
  }
}

const END = { done: true, value: undefined } as const;

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
