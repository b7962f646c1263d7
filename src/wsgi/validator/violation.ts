import { ViaductError } from '../../errors.ts';
import type { ErrorStream } from '../contract.ts';

/** The side that broke the contract: the caller of the application (the server, or middleware around it), or the application itself. */
export type ViolationSide = 'server' | 'application';

/** Every rule that `validator` checks, with the side that must keep it. */
export const VIOLATIONS = {
  // How the application is called.
  /** The wrapped value is not a function. */
  'application-not-callable': 'application',
  /** The application is not called with an environ and `start_response`. */
  'application-arguments': 'server',
  /** The application is called after its `close`. */
  'called-after-close': 'server',
  // The environ.
  /** The environ is not an object, is an instance of a class, or is frozen. */
  'environ-not-plain': 'server',
  /** A required key is missing. */
  'environ-key-missing': 'server',
  /** `SERVER_PORT` is a number, `HTTP_X` an array, `wsgi.run_once` a string. */
  'environ-key-wrong-type': 'server',
  /** `PATH_INFO` without its slash, `SCRIPT_NAME` with a slash at its end, a `CONTENT_LENGTH` that is not a number. */
  'environ-key-wrong-value': 'server',
  /** `HTTP_X-User` or `HTTP_user`, which applications would not find. */
  'environ-key-malformed': 'server',
  /** `HTTP_CONTENT_TYPE` or `HTTP_CONTENT_LENGTH`. */
  'environ-key-forbidden': 'server',
  /** Text with a character beyond U+00FF, which does not represent a byte. */
  'environ-not-latin1': 'server',
  /** `wsgi.input` lacks a method. */
  'input-incomplete': 'server',
  /** `wsgi.errors` lacks a method. */
  'errors-incomplete': 'server',
  // How wsgi.input and wsgi.errors are used.
  /** A size that is not a whole number. */
  'input-argument': 'application',
  /** A read starts before the last one has settled: an `await` is missing. */
  'input-read-concurrently': 'application',
  /** A read starts after the end of the response. */
  'input-read-after-response': 'application',
  /** A read returns no promise, no `Buffer`, or more than was requested. */
  'input-result': 'server',
  /** `wsgi.errors` is given a value that is not a string. */
  'errors-not-text': 'application',
  // start_response and write.
  /** Fewer than two arguments, or more than three. */
  'start-response-arguments': 'application',
  /** A second call without `excInfo`. */
  'start-response-twice': 'application',
  /** A call after the end of the response. */
  'start-response-after-response': 'application',
  /** The body has ended without a call. */
  'start-response-not-called': 'application',
  /** The status is not a code of 200 to 599, a space and a reason. */
  'status-malformed': 'application',
  /** The headers are not an array. */
  'headers-not-list': 'application',
  /** A header is not a pair of strings. */
  'headers-not-pairs': 'application',
  /** A name is not a token (RFC 9110 section 5.1). */
  'header-name-malformed': 'application',
  /** A value contains a line break or another control character. */
  'header-value-malformed': 'application',
  /** A value contains a character beyond U+00FF. */
  'header-not-latin1': 'application',
  /** `Connection`, `Transfer-Encoding` and similar headers, which belong to the server. */
  'header-hop-by-hop': 'application',
  /** A header is named `Status`, as in CGI. */
  'header-status': 'application',
  /** The length is not a number, or there are two lengths. */
  'content-length-malformed': 'application',
  /** There is content, but no `Content-Type` (advice). */
  'content-type-missing': 'application',
  /** 204 or 304 with a `Content-Type` (advice). */
  'content-type-not-allowed': 'application',
  /** `start_response` does not return a function. */
  'write-not-callable': 'server',
  /** `write` does not return a promise. */
  'write-not-promise': 'server',
  /** `write` is called after the application has returned its body. */
  'write-after-return': 'application',
  // The body.
  /** The application returns nothing, or a value that cannot be iterated. */
  'body-not-iterable': 'application',
  /** The application returns bytes or a string instead of an iterable of blocks. */
  'body-is-bytes': 'application',
  /** `close` of the body is not a function. */
  'close-not-callable': 'application',
  /** `Symbol.iterator` returns an async iterator, or no iterator. */
  'iterator-malformed': 'application',
  /** A block is not a `Uint8Array`, but a string or a promise, for example. */
  'block-not-bytes': 'application',
  /** A block that is not empty comes before the call of `start_response`. */
  'block-before-start-response': 'application',
  /** 204 or 304 with content. */
  'content-not-allowed': 'application',
  /** There is less content than `Content-Length` says. */
  'content-too-short': 'application',
  /** There is more content than `Content-Length` says. */
  'content-too-long': 'application',
  /** A body is iterated a second time. */
  'iterated-twice': 'server',
  /** A block is requested after `close`. */
  'iterated-after-close': 'server',
  /** A generator is abandoned before its end, without a call of `return`. */
  'return-not-called': 'server',
  /** A body is abandoned, and its `close` was never called. */
  'close-not-called': 'server',
  /** `close` is called a second time. */
  'close-twice': 'server',
} as const satisfies Readonly<Record<string, ViolationSide>>;

/** The name of a rule that was broken: a key of `VIOLATIONS`. */
export type ViolationName = keyof typeof VIOLATIONS;

/** A violation of the contract. */
export interface Violation {
  /** The rule. */
  readonly name: ViolationName;
  /** The side that broke it. */
  readonly side: ViolationSide;
  /** What happened, for people. */
  readonly message: string;
}

/** Violations that are legal in HTTP and harmless: they are logged, and nothing fails. */
const ADVICE: ReadonlySet<ViolationName> = new Set(['content-type-missing', 'content-type-not-allowed']);

/** Reports violations: to `onViolation` if it is given, otherwise by an exception or in the log. */
export class Reporter {
  readonly #onViolation: ((violation: Violation) => void) | undefined;
  readonly #errors: ErrorStream | undefined;
  /** Advice that was logged already. */
  readonly #advised: Set<ViolationName>;

  constructor(
    onViolation: ((violation: Violation) => void) | undefined,
    advised: Set<ViolationName>,
    errors: ErrorStream | undefined,
  ) {
    this.#onViolation = onViolation;
    this.#advised = advised;
    this.#errors = errors;
  }

  /** @throws ViaductError `CONTRACT`, unless there is `onViolation` or the violation is advice */
  report(name: ViolationName, message: string): void {
    const violation = { name, side: VIOLATIONS[name], message };
    if (this.#onViolation !== undefined) this.#onViolation(violation);
    else if (!ADVICE.has(name)) throw new ViaductError('CONTRACT', sentence(violation));
    else if (!this.#advised.has(name)) {
      this.#advised.add(name);
      this.#write(violation);
    }
  }

  /** Reports a violation that is detected where nothing would catch an exception. */
  reportLate(name: ViolationName, message: string): void {
    const violation = { name, side: VIOLATIONS[name], message };
    if (this.#onViolation === undefined) this.#write(violation);
    else this.#onViolation(violation);
  }

  #write(violation: Violation): void {
    this.#errors?.write(`${sentence(violation)}\n`);
  }
}

const PARTIES = {
  server: 'the server, or middleware around the application',
  application: 'the application, or middleware inside',
} as const satisfies Readonly<Record<ViolationSide, string>>;

function sentence({ name, side, message }: Violation): string {
  return `Cannot keep WSGI's contract: ${message} (${name}, by ${PARTIES[side]})`;
}
