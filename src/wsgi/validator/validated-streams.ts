import type { Reporter } from '../../gateway/validator/breach.ts';
import type { ErrorStream, InputStream } from '../contract.ts';
import { describe, isPromise } from '../contract-errors.ts';
import type { CheckedCall } from './validated-call.ts';

/** `wsgi.input`: looks at what the application asks, and at what it gets. */
export class CheckedInput implements InputStream {
  readonly source: InputStream;
  readonly #call: CheckedCall;
  #isReading = false;

  constructor(source: InputStream, call: CheckedCall) {
    this.source = source;
    this.#call = call;
  }

  read(...given: [number?]): Promise<Buffer> {
    return this.#ask('read', given, () => this.source.read(...given)) as Promise<Buffer>;
  }

  readline(...given: [number?]): Promise<Buffer> {
    return this.#ask('readline', given, () => this.source.readline(...given)) as Promise<Buffer>;
  }

  readlines(...given: [number?]): Promise<Buffer[]> {
    return this.#ask('readlines', given, () => this.source.readlines(...given)) as Promise<Buffer[]>;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer> {
    const lines = this.source[Symbol.asyncIterator]();
    for (;;) {
      const { done, value } = (await this.#ask('next', [], () => lines.next())) as IteratorResult<Buffer>;
      if (done === true) return;
      this.#checkBytes('next', [], value);
      yield value;
    }
  }

  /** What is left, also for those parts of the server that read on while the response leaves. */
  async *blocks(): AsyncGenerator<Buffer> {
    for await (const block of this.source.blocks()) {
      this.#checkBytes('blocks', [], block);
      yield block;
    }
  }

  async #ask(method: string, given: readonly unknown[], read: () => Promise<unknown>): Promise<unknown> {
    const { reporter } = this.#call;
    const [size] = given;
    if (given.length > 1 || (size !== undefined && !Number.isInteger(size)))
      reporter.report('input-argument', `wsgi.input.${method} was called with ${given.map(String).join(', ')}`);
    if (this.#call.isOver)
      reporter.report('input-read-after-response', `wsgi.input.${method} was called after the end of the response`);
    if (this.#isReading)
      reporter.report('input-read-concurrently', `wsgi.input.${method} was called before the last read had settled`);
    this.#isReading = true;
    try {
      const reading: unknown = read();
      if (!isPromise(reading))
        reporter.report('input-result', `wsgi.input.${method} returned ${describe(reading)}, and not a promise`);
      const result = await reading;
      if (method !== 'next') this.#checkBytes(method, given, result);
      return result;
    } finally {
      this.#isReading = false;
    }
  }

  #checkBytes(method: string, [size]: readonly unknown[], result: unknown): void {
    const { reporter } = this.#call;
    const pieces: unknown[] = method === 'readlines' && Array.isArray(result) ? result : [result];
    for (const piece of pieces) {
      if (!Buffer.isBuffer(piece)) reporter.report('input-result', `wsgi.input.${method} gave ${describe(piece)}`);
    }
    if (method === 'readlines' || !Buffer.isBuffer(result) || typeof size !== 'number' || size < 0) return;
    if (result.length > size)
      reporter.report('input-result', `wsgi.input.${method} gave ${result.length} bytes where ${size} were asked for`);
  }
}

/** `wsgi.errors`: takes text. */
export class CheckedErrors implements ErrorStream {
  readonly source: ErrorStream;
  readonly #reporter: Reporter;

  constructor(source: ErrorStream, reporter: Reporter) {
    this.source = source;
    this.#reporter = reporter;
  }

  write(text: string): void {
    this.#check('write', text);
    this.source.write(text);
  }

  writelines(lines: Iterable<string>): void {
    const all = [...lines];
    for (const line of all) this.#check('writelines', line);
    this.source.writelines(all);
  }

  flush(): void {
    this.source.flush();
  }

  #check(method: string, text: unknown): void {
    if (typeof text !== 'string')
      this.#reporter.report('errors-not-text', `wsgi.errors.${method} was given ${describe(text)}, and not text`);
  }
}
