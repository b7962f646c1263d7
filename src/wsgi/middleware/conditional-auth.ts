import type { Environ, Middleware } from '../contract.ts';

export interface ConditionalAuthOptions {
  /** Which requests need a user. All by default. */
  readonly when?: (environ: Environ) => boolean;
  /** Whether this is a user and their password. */
  readonly check: (user: string, password: string, environ: Environ) => boolean | Promise<boolean>;
  /** What the browser shows when it asks. `Restricted` by default. */
  readonly realm?: string;
}

/**
 * Asks for a user by basic authentication (RFC 7617) where a condition says so. The application finds who it is in REMOTE_USER; where nobody was asked there is
 * none, whatever the client or a server in front says.
 *
 * @throws TypeError for a realm that cannot be quoted
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
