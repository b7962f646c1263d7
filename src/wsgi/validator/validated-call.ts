import type { Client, Environ, Header, StartResponse, Write } from '../contract.ts';
import { describe, isPromise } from '../contract-errors.ts';
import { checkHead, type Head, isBodyless } from './check-head.ts';
import type { Reporter } from './violation.ts';

/** One call of an application: the state of its response, and the checks that follow from it. */
export class ValidatedCall {
  readonly reporter: Reporter;
  readonly #isHead: boolean;
  readonly #client: Client | undefined;
  #head: Head | null = null;
  #sent = 0;
  #state: 'called' | 'returned' | 'over' = 'called';
  readonly #onOver: () => void;

  /** @param onOver is called at the end of the response */
  constructor(reporter: Reporter, environ: Environ, onOver: () => void) {
    this.reporter = reporter;
    this.#isHead = environ.REQUEST_METHOD === 'HEAD';
    this.#client = environ['viaduct.client'];
    this.#onOver = onOver;
  }

  get isOver(): boolean {
    return this.#state === 'over';
  }

  /** The `startResponse` that the application gets. */
  wrap(startResponse: StartResponse): StartResponse {
    return (...args: readonly unknown[]) => {
      const { reporter } = this;
      const excInfo = args[2] ?? null;
      if (this.isOver)
        reporter.report('start-response-after-response', 'start_response was called after the end of the response');
      else if (this.#head !== null && excInfo === null)
        reporter.report('start-response-twice', 'start_response was called a second time without excInfo');
      this.#head = checkHead(args, reporter);
      const write: unknown = startResponse(...(args as [string, readonly Header[], unknown?]));
      if (typeof write === 'function') return this.#wrapWrite(write as Write);
      reporter.report('write-not-callable', `start_response returned ${describe(write)}, and not a function`);
      return write as Write;
    };
  }

  #wrapWrite(write: Write): Write {
    return (block) => {
      if (this.#state !== 'called')
        this.reporter.report('write-after-return', 'write was called after the application had returned its body');
      this.checkBlock(block);
      const result: unknown = write(block);
      if (!isPromise(result))
        this.reporter.report('write-not-promise', `write returned ${describe(result)}, and not a promise`);
      return result as Promise<void>;
    };
  }

  /** The application has returned a body. */
  returned(): void {
    if (this.#state === 'called') this.#state = 'returned';
  }

  checkBlock(block: unknown): void {
    const { reporter } = this;
    if (!(block instanceof Uint8Array)) {
      reporter.report('block-not-bytes', `a block is ${describe(block)}, and not a Uint8Array`);
      return;
    }
    if (block.length === 0) return;
    const before = this.#sent;
    this.#sent += block.length;
    if (this.#head === null) {
      if (before === 0)
        reporter.report('block-before-start-response', 'a block was produced before start_response was called');
      return;
    }
    const { code, contentLength, hasContentType } = this.#head;
    if (isBodyless(code)) {
      if (before === 0)
        reporter.report('content-not-allowed', `a response ${code} has no content, but there is a block`);
      return;
    }
    if (before === 0 && !hasContentType)
      reporter.report('content-type-missing', 'there is content, and no Content-Type');
    if (!this.#isHead && contentLength >= 0 && before <= contentLength && this.#sent > contentLength)
      reporter.report(
        'content-too-long',
        `there are ${this.#sent} bytes and more, but Content-Length is ${contentLength}`,
      );
  }

  /** Checks the length after the last block, unless the client has left. */
  checkEnd(): void {
    if (this.#client?.gone === true) return;
    if (this.#head === null) {
      if (this.#sent === 0)
        this.reporter.report('start-response-not-called', 'the body ended, and start_response was not called');
      return;
    }
    const { code, contentLength } = this.#head;
    if (!this.#isHead && !isBodyless(code) && this.#sent < contentLength)
      this.reporter.report(
        'content-too-short',
        `there are ${this.#sent} bytes, but Content-Length is ${contentLength}`,
      );
  }

  /** Checks a body of the server itself, whose blocks need no check. */
  checkStarted(): void {
    if (this.#head === null)
      this.reporter.report('start-response-not-called', 'a body was returned, and start_response was not called');
  }

  /** The response has ended. */
  end(): void {
    if (this.isOver) return;
    this.#state = 'over';
    this.#onOver();
  }
}
