import { ViaductError } from '../../errors.ts';
import type { ErrorStream } from '../../wsgi/contract.ts';

/** Who broke the contract: what calls the application, a server or middleware around it, or the application itself. */
export type BreachSide = 'server' | 'application';

/** Every rule that `validator` knows, and whose it is. */
export const BREACHES = {
  // How the application is called.
  'application-not-callable': 'application',
  'application-arguments': 'server', // not called with an environ and start_response
  'called-after-close': 'server',
  // The environ.
  'environ-not-plain': 'server', // no object, one of a class, or one that cannot be changed
  'environ-key-missing': 'server',
  'environ-key-wrong-type': 'server',
  'environ-key-wrong-value': 'server', // such as a PATH_INFO without its slash
  'environ-key-malformed': 'server', // an HTTP_ key with a lower case letter or a hyphen
  'environ-key-forbidden': 'server', // HTTP_CONTENT_TYPE, HTTP_CONTENT_LENGTH
  'environ-not-latin1': 'server',
  'input-incomplete': 'server',
  'errors-incomplete': 'server',
  // How wsgi.input and wsgi.errors are used.
  'input-argument': 'application',
  'input-read-concurrently': 'application', // before the last read has settled
  'input-read-after-response': 'application',
  'input-result': 'server', // no promise, no bytes, or too many of them
  'errors-not-text': 'application',
  // start_response and write.
  'start-response-arguments': 'application',
  'start-response-twice': 'application', // without excInfo
  'start-response-after-response': 'application',
  'start-response-not-called': 'application',
  'status-malformed': 'application',
  'headers-not-list': 'application',
  'headers-not-pairs': 'application', // a header that is not a pair of strings
  'header-name-malformed': 'application',
  'header-value-malformed': 'application', // a line break or another control
  'header-not-latin1': 'application',
  'header-hop-by-hop': 'application',
  'header-status': 'application', // CGI's Status, which no header of a response is
  'content-length-malformed': 'application',
  'content-type-missing': 'application',
  'content-type-not-allowed': 'application', // for 204 and 304
  'write-not-callable': 'server', // start_response returned no function
  'write-not-promise': 'server',
  'write-after-return': 'application', // the application has returned its body before
  // The body.
  'body-not-iterable': 'application',
  'body-is-bytes': 'application', // bytes or text, and not an iterable of blocks
  'close-not-callable': 'application',
  'iterator-malformed': 'application', // such as an async iterator where a sync one is announced
  'block-not-bytes': 'application',
  'block-before-start-response': 'application',
  'content-not-allowed': 'application', // for 204 and 304
  'content-too-short': 'application', // for its Content-Length
  'content-too-long': 'application',
  'iterated-twice': 'server',
  'iterated-after-close': 'server',
  'return-not-called': 'server', // of an iterator that was not exhausted
  'close-not-called': 'server',
  'close-twice': 'server',
} as const satisfies Readonly<Record<string, BreachSide>>;

export type BreachName = keyof typeof BREACHES;

/** One breach of the contract. */
export interface Breach {
  readonly name: BreachName;
  readonly side: BreachSide;
  /** What was seen, in a sentence. */
  readonly message: string;
}

/** Legal in HTTP, and harmless: the log tells of them, nothing fails. */
const ADVICE: ReadonlySet<BreachName> = new Set(['content-type-missing', 'content-type-not-allowed']);

/** Tells of breaches: whoever asked for them, else by an exception or in the log. */
export class Reporter {
  readonly #onBreach: ((breach: Breach) => void) | undefined;
  readonly #errors: ErrorStream | undefined;
  /** Advice that the log has; it is told once. */
  readonly #advised: Set<BreachName>;

  constructor(
    onBreach: ((breach: Breach) => void) | undefined,
    advised: Set<BreachName>,
    errors: ErrorStream | undefined,
  ) {
    this.#onBreach = onBreach;
    this.#advised = advised;
    this.#errors = errors;
  }

  /** @throws ViaductError `CONTRACT`, unless breaches go to `onBreach` or this one is advice */
  report(name: BreachName, message: string): void {
    const breach = { name, side: BREACHES[name], message };
    if (this.#onBreach !== undefined) this.#onBreach(breach);
    else if (!ADVICE.has(name)) throw new ViaductError('CONTRACT', sentence(breach));
    else if (!this.#advised.has(name)) {
      this.#advised.add(name);
      this.#write(breach);
    }
  }

  /** For a breach that is seen where nobody would catch an exception. */
  tell(name: BreachName, message: string): void {
    const breach = { name, side: BREACHES[name], message };
    if (this.#onBreach === undefined) this.#write(breach);
    else this.#onBreach(breach);
  }

  #write(breach: Breach): void {
    this.#errors?.write(`${sentence(breach)}\n`);
  }
}

const WHO = {
  server: 'the server, or middleware around the application',
  application: 'the application, or middleware inside',
} as const satisfies Readonly<Record<BreachSide, string>>;

function sentence({ name, side, message }: Breach): string {
  return `Cannot keep WSGI's contract: ${message} (${name}, by ${WHO[side]})`;
}
