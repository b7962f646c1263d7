import type { Middleware } from '../contract.ts';

export interface TimingOptions {
  /** The name of the entry. `app` by default. */
  readonly name?: string;
}

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/**
 * Tells in a Server-Timing field (W3C Server Timing) how many milliseconds the application took to begin its response. Browsers show it beside the
 * request.
 *
 * @throws TypeError for a name that is no token
 */
export function timing({ name = 'app' }: TimingOptions = {}): Middleware {
  if (!TOKEN.test(name)) throw new TypeError(`Cannot use timing name ${JSON.stringify(name)}: it is not a token`);
  return function timing(application) {
    return (environ, startResponse) => {
      const before = performance.now();
      return application(environ, (status, headers, excInfo) => {
        const entry = `${name};dur=${(performance.now() - before).toFixed(1)}`;
        return startResponse(status, [...headers, ['Server-Timing', entry]], excInfo);
      });
    };
  };
}
