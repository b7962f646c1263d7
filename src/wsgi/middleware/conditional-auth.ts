import type { Environ, Middleware } from '../contract.ts';

/** Options of `conditionalAuth`. */
export interface ConditionalAuthOptions {
  /** Returns whether a request needs a user. By default every request does. */
  readonly when?: (environ: Environ) => boolean;
  /** Returns whether `password` is the password of `user`. Both are decoded as UTF-8. */
  readonly check: (user: string, password: string, environ: Environ) => boolean | Promise<boolean>;
  /** The text that a browser shows when it asks. `Restricted` by default. */
  readonly realm?: string;
}

/**
 * Asks for a name and a password by basic authentication (RFC 7617) if a condition is true. The application finds the name in REMOTE_USER, as a native
 * string. For a request without authentication REMOTE_USER is absent, also if a front-end proxy has set it.
 *
 * @throws TypeError for a realm with control characters, quotes, backslashes or characters beyond ASCII
 *
 * @example
 * ```ts
 * const staff = conditionalAuth({
 *   when: ({ PATH_INFO }) => PATH_INFO.startsWith('/staff/'),
 *   check: (user, password) => user === 'ann' && password === process.env.PASSWORD,
 * });
 * ```
 */
export function conditionalAuth({
  when = () => true,
  check,
  realm = 'Restricted',
}: ConditionalAuthOptions): Middleware {
  if (!/^[\t\x20-\x7e]*$/.test(realm) || /["\\]/.test(realm))
    throw new TypeError(`Cannot use realm ${JSON.stringify(realm)}: it cannot be quoted`);
  const challenge = `Basic realm="${realm}", charset="UTF-8"`;
  return function conditionalAuth(application) {
    return async (environ, startResponse) => {
      delete environ.REMOTE_USER;
      delete environ.AUTH_TYPE;
      if (!when(environ)) return application(environ, startResponse);
      const [user, password] = credentialsOf(environ);
      if (user !== undefined && password !== undefined && (await check(user, password, environ))) {
        environ.REMOTE_USER = Buffer.from(user, 'utf8').toString('latin1');
        environ.AUTH_TYPE = 'Basic';
        return application(environ, startResponse);
      }
      startResponse('401 Unauthorized', [
        ['WWW-Authenticate', challenge],
        ['Content-Type', 'text/plain; charset=utf-8'],
      ]);
      return [Buffer.from('Unauthorized\n')];
    };
  };
}

function credentialsOf({ HTTP_AUTHORIZATION = '' }: Environ): [user?: string, password?: string] {
  const [, encoded] = /^Basic +([A-Za-z0-9+/]+={0,2})$/i.exec(HTTP_AUTHORIZATION) ?? [];
  if (encoded === undefined) return [];
  const text = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  return colon < 0 ? [] : [text.slice(0, colon), text.slice(colon + 1)];
}
