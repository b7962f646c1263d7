import { type Breach, type BreachName, Reporter } from '../../gateway/validator/breach.ts';
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
import { checkBody } from './validated-body.ts';
import { CheckedCall } from './validated-call.ts';
import { CheckedErrors, CheckedInput } from './validated-streams.ts';

export interface ValidatorOptions {
  /** Told of each breach; nothing is thrown then, and the call goes on as far as it can. */
  readonly onBreach?: (breach: Breach) => void;
}

/**
 * Middleware that changes nothing and checks everything: what an application is called with, and what it answers (PEP 3333). It stands around an
 * application, or between two middlewares. As `wsgiref.validate` in Python, with what is TypeScript's own: promises, async iterables, text that is no
 * latin-1.
 *
 * Without `onBreach`, the one who breaks the contract, or who meets the breach first, gets a ViaductError `CONTRACT` that names the breach and the side.
 * Where nobody would catch it (a body that was never closed), and for advice on Content-Type, there is a line in `wsgi.errors`.
 */
export function validator({ onBreach }: ValidatorOptions = {}): Middleware {
  const advised = new Set<BreachName>();
  return (application) => {
    if (typeof application !== 'function') {
      const what = `the application is ${describe(application)}, and not a function`;
      new Reporter(onBreach, advised, undefined).report('application-not-callable', what);
      return application;
    }
    let isClosed = false;
    const checked: Application = (...given: readonly unknown[]) => {
      const [environ, startResponse] = given;
      const reporter = new Reporter(onBreach, advised, errorsOf(environ));
      if (isClosed) reporter.report('called-after-close', 'the application was called after its close');
      if (given.length !== 2 || typeof startResponse !== 'function') {
        const what = given.map(describe).join(', ');
        reporter.report(
          'application-arguments',
          `the application was called with (${what}), not environ and start_response`,
        );
      }
      const canCheck = checkEnviron(environ, reporter) && typeof startResponse === 'function';
      const call = [environ as Environ, startResponse as StartResponse] as const;
      return canCheck ? callChecked(application, ...call, reporter) : application(...call);
    };
    const { start, close } = application;
    if (start !== undefined) checked.start = (listeners) => start.call(application, listeners);
    if (close !== undefined)
      checked.close = () => {
        isClosed = true;
        return close.call(application);
      };
    return checked;
  };
}

/** Until its response is over, the environ holds streams that check. */
function callChecked(
  application: Application,
  environ: Environ,
  startResponse: StartResponse,
  reporter: Reporter,
): ResponseBody | Promise<ResponseBody> {
  const input = environ['wsgi.input'];
  const errors = environ['wsgi.errors'];
  const call = new CheckedCall(reporter, environ, () => {
    if (environ['wsgi.input'] === checkedInput) environ['wsgi.input'] = input;
    if (environ['wsgi.errors'] === checkedErrors) environ['wsgi.errors'] = errors;
  });
  // Parts of the server know the empty input by itself, and there is nothing to be misread in it.
  const checkedInput: InputStream = input === NO_INPUT ? input : new CheckedInput(input, call);
  const checkedErrors: ErrorStream = new CheckedErrors(errors, reporter);
  environ['wsgi.input'] = checkedInput;
  environ['wsgi.errors'] = checkedErrors;
  const failed = (error: unknown): never => {
    call.end();
    throw error;
  };
  try {
    const body: unknown = application(environ, call.wrap(startResponse));
    if (!isPromise(body)) return checkBody(body, call);
    return Promise.resolve(body)
      .then((later) => checkBody(later, call))
      .catch(failed);
  } catch (error) {
    return failed(error);
  }
}

function errorsOf(environ: unknown): ErrorStream | undefined {
  const errors = (environ as Partial<Environ> | null | undefined)?.['wsgi.errors'];
  return typeof errors?.write === 'function' ? errors : undefined;
}
