import { ViaductError } from '../errors.ts';
import type { Application, Middleware } from './contract.ts';

/**
 * Makes one middleware of several: `compose(a, b, c)(application)` is `a(b(c(application)))`, so a request passes `a` first. The result keeps `start` and
 * `close` of the application, also if a middleware returns a plain function.
 *
 * @throws ViaductError `CONTRACT` if a middleware does not return an application
 *
 * @example
 * ```ts
 * import { compose, pythonApp, serve } from 'viaduct';
 * import { requestId, timing } from 'viaduct/middleware';
 *
 * await serve({ application: compose(requestId(), timing())(pythonApp()), port: 8000 });
 * ```
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
