import { ViaductError } from '../errors.ts';
import type { Application, Middleware } from './contract.ts';

/**
 * Folds middleware into one: `compose(a, b, c)(application)` is `a(b(c(application)))`, so that a request meets `a` first. What the application holds
 * (`start`, `close`) stays in reach, also where a middleware returns a plain function.
 *
 * @throws ViaductError `CONTRACT` when a middleware returns no application
 */
export function compose(...middleware: readonly Middleware[]): Middleware {
  return (application) => middleware.reduceRight(wrap, application);
}

function wrap(application: Application, middleware: Middleware): Application {
  const wrapped = middleware(application);
  if (typeof wrapped !== 'function') {
    const name = middleware.name || '(anonymous)';
    throw new ViaductError(
      'CONTRACT',
      `Cannot use middleware ${name}: it returned ${typeof wrapped}, and not an application`,
    );
  }
  const start = wrapped.start ?? application.start;
  const close = wrapped.close ?? application.close;
  if (start === wrapped.start && close === wrapped.close) return wrapped;
  const callable: Application = (environ, startResponse) => wrapped(environ, startResponse);
  return Object.assign(callable, start === undefined ? {} : { start }, close === undefined ? {} : { close });
}
