import type { ErrorStream, InputStream } from '../contract.ts';
import { describe, isPromise } from '../contract-errors.ts';
import type { ValidatedCall } from './validated-call.ts';
import type { Reporter } from './violation.ts';

/** `wsgi.input`: checks the calls of the application and their results. */
export class ValidatedInput implements InputStream {
  readonly source: InputStream;
  readonly #call: ValidatedCall;
  #isReading = false;

  constructor(source: InputStream, call: ValidatedCall) {
    this.source = source;
    this.#call = call;
  }

  read(...args: [number?]): Promise<Buffer> {
    return this.#ask('read', args, () => this.source.read(...args)) as Promise<Buffer>;
  }

  readline(...args: [number?]): Promise<Buffer> {
    return this.#ask('readline', args, () => this.source.readline(...args)) as Promise<Buffer>;
  }

  readlines(...args: [number?]): Promise<Buffer[]> {
    return this.#ask('readlines', args, () => this.source.readlines(...args)) as Promise<Buffer[]>;
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

  /** Does not check when it is called: parts of the server read blocks while the response is sent. */
  async *blocks(): AsyncGenerator<Buffer> {
    for await (const block of this.source.blocks()) {
      this.#checkBytes('blocks', [], block);
      yield block;
    }
  }

  async #ask(method: string, args: readonly unknown[], read: () => Promise<unknown>): Promise<unknown> {
    const { reporter } = this.#call;
    const [size] = args;
    if (args.length > 1 || (size !== undefined && !Number.isInteger(size)))
      reporter.report('input-argument', `wsgi.input.${method} was called with ${args.map(String).join(', ')}`);
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
      if (method !== 'next') this.#checkBytes(method, args, result);
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

/** `wsgi.errors`: checks that it gets strings. */
export class ValidatedErrors implements ErrorStream {
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
