import type {
  Application,
  Environ,
  ErrorStream,
  InputStream,
  Middleware,
  ResponseBody,
  StartResponse,
} from '../contract.ts';
import { describe, isPromise } from '../contract-errors.ts';
import { NO_INPUT } from '../input-stream.ts';
import { checkEnviron } from './check-environ.ts';
import { validateBody } from './validated-body.ts';
import { ValidatedCall } from './validated-call.ts';
import { ValidatedErrors, ValidatedInput } from './validated-streams.ts';
import { Reporter, type Violation, type ViolationName } from './violation.ts';

/** Options of `validator`. */
export interface ValidatorOptions {
  /** Receives each violation. Then nothing is thrown, and the request continues as far as it can. */
  readonly onViolation?: (violation: Violation) => void;
}

/**
 * Middleware that changes nothing and checks everything: how an application is called, and how it answers (PEP 3333). Put it around an application or between
 * two middlewares. It is like `wsgiref.validate` in Python, with checks for TypeScript: promises, async iterables, and strings that are not latin-1.
 *
 * Without `onViolation`, the side that breaks the contract, or detects the violation, gets a ViaductError `CONTRACT` that names the rule and the side. A
 * violation where nothing would catch an exception, such as a body that was never closed, is a line in `wsgi.errors`. So is advice about Content-Type.
 *
 * @example
 * ```ts
 * const violations: Violation[] = [];
 * const checked = validator({ onViolation: (violation) => violations.push(violation) })(application);
 * ```
 */
export function validator({ onViolation }: ValidatorOptions = {}): Middleware {
  const advised = new Set<ViolationName>();
  return (application) => {
    if (typeof application !== 'function') {
      const message = `the application is ${describe(application)}, and not a function`;
      new Reporter(onViolation, advised, undefined).report('application-not-callable', message);
      return application;
    }
    let isClosed = false;
    const validated: Application = (...args: readonly unknown[]) => {
      const [environ, startResponse] = args;
      const reporter = new Reporter(onViolation, advised, errorsOf(environ));
      if (isClosed) reporter.report('called-after-close', 'the application was called after its close');
      if (args.length !== 2 || typeof startResponse !== 'function') {
        const kinds = args.map(describe).join(', ');
        reporter.report(
          'application-arguments',
          `the application was called with (${kinds}), not environ and start_response`,
        );
      }
      const canCheck = checkEnviron(environ, reporter) && typeof startResponse === 'function';
      const call = [environ as Environ, startResponse as StartResponse] as const;
      return canCheck ? callValidated(application, ...call, reporter) : application(...call);
    };
    const { start, close } = application;
    if (start !== undefined) validated.start = (listeners) => start.call(application, listeners);
    if (close !== undefined)
      validated.close = () => {
        isClosed = true;
        return close.call(application);
      };
    return validated;
  };
}

/** Calls `application`. Until the end of the response the environ holds streams that check. */
function callValidated(
  application: Application,
  environ: Environ,
  startResponse: StartResponse,
  reporter: Reporter,
): ResponseBody | Promise<ResponseBody> {
  const input = environ['wsgi.input'];
  const errors = environ['wsgi.errors'];
  const call = new ValidatedCall(reporter, environ, () => {
    if (environ['wsgi.input'] === validatedInput) environ['wsgi.input'] = input;
    if (environ['wsgi.errors'] === validatedErrors) environ['wsgi.errors'] = errors;
  });
  // Parts of the server recognise the empty input, and it has nothing that could be read in a wrong way.
  const validatedInput: InputStream = input === NO_INPUT ? input : new ValidatedInput(input, call);
  const validatedErrors: ErrorStream = new ValidatedErrors(errors, reporter);
  environ['wsgi.input'] = validatedInput;
  environ['wsgi.errors'] = validatedErrors;
  const failed = (error: unknown): never => {
    call.end();
    throw error;
  };
  try {
    const body: unknown = application(environ, call.wrap(startResponse));
    if (!isPromise(body)) return validateBody(body, call);
    return Promise.resolve(body)
      .then((later) => validateBody(later, call))
      .catch(failed);
  } catch (error) {
    return failed(error);
  }
}

function errorsOf(environ: unknown): ErrorStream | undefined {
  const errors = (environ as Partial<Environ> | null | undefined)?.['wsgi.errors'];
  return typeof errors?.write === 'function' ? errors : undefined;
}
