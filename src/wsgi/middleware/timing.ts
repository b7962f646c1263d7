import type { Middleware } from '../contract.ts';

/** Options of `timing`. */
export interface TimingOptions {
  /** The name of the entry, a token (RFC 9110 section 5.6.2). `app` by default. */
  readonly name?: string;
}

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/**
 * Adds a Server-Timing field (W3C Server Timing) with the milliseconds until the application started its response. Browsers show it in their network panel.
 *
 * @throws TypeError for a name that is not a token
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
