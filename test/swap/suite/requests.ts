import { type Case, checkSeen, firstOf, type SeenRequest, same } from './case.ts';

const path = (name: string, target: string, pathInfo: string): Case => ({
  name: `path: ${name}`,
  description: `\`${target}\``,
  requests: [{ target }],
  check: ([answer]) =>
    checkSeen(answer, (seen) =>
      firstOf(
        same('PATH_INFO', seen.pathInfo, Buffer.from(pathInfo).toString('latin1')),
        same('SCRIPT_NAME', seen.script, ''),
        same('the path', seen.path, pathInfo),
      ),
    ),
});

const query = (name: string, target: string, expected: string): Case => ({
  name: `query: ${name}`,
  description: `\`${target}\``,
  requests: [{ target }],
  check: ([answer]) => checkSeen(answer, (seen) => same('QUERY_STRING', seen.query, expected)),
});

const fields = (
  name: string,
  description: string,
  sent: readonly (readonly [string, string])[],
  check: (fields: SeenRequest['fields']) => string | null,
): Case => ({
  name: `field: ${name}`,
  description,
  requests: [{ target: '/echo', fields: sent }],
  check: ([answer]) => checkSeen(answer, (seen) => check(seen.fields)),
});

const LONG = 'v'.repeat(6000);

/** What an application sees of the request line and the fields. */
export const REQUESTS: readonly Case[] = [
  path('plain', '/echo/a/b', '/echo/a/b'),
  path('%2F', '/echo/a%2Fb', '/echo/a/b'),
  path('%252F', '/echo/a%252Fb', '/echo/a%2Fb'),
  path('%20', '/echo/a%20b', '/echo/a b'),
  path('UTF-8', '/echo/caf%C3%A9', '/echo/café'),
  path('double slash', '/echo/a//b', '/echo/a//b'),
  path('reserved characters', '/echo/a+b;c=1:@,$!', '/echo/a+b;c=1:@,$!'),
  query('encoded', '/echo?x=%20y%2F&z=+', 'x=%20y%2F&z=+'),
  query('empty', '/echo?', ''),
  query('with question mark', '/echo?a?b=/', 'a?b=/'),
  fields('long', 'a field of 6000 characters', [['X-Long', LONG]], ({ HTTP_X_LONG = '' }) =>
    HTTP_X_LONG === LONG ? null : `${HTTP_X_LONG.length} characters arrive`,
  ),
  fields(
    'repeated',
    'the same field twice: its values are joined',
    [
      ['X-Twice', 'one'],
      ['X-Twice', 'two'],
    ],
    ({ HTTP_X_TWICE = '' }) => (/^one, ?two$/.test(HTTP_X_TWICE) ? null : `${JSON.stringify(HTTP_X_TWICE)} arrives`),
  ),
  fields('underscore', '`X_User` is not treated as `X-User`', [['X_User', 'mallory']], ({ HTTP_X_USER = '' }) =>
    HTTP_X_USER === '' ? null : 'X_User arrives as HTTP_X_USER',
  ),
  fields(
    'underscore beside hyphen',
    '`X_User` does not change `X-User`',
    [
      ['X-User', 'alice'],
      ['X_User', 'mallory'],
    ],
    ({ HTTP_X_USER = '' }) =>
      HTTP_X_USER === 'alice' ? null : `${JSON.stringify(HTTP_X_USER)} arrives as HTTP_X_USER`,
  ),
  fields('latin-1', 'a value with a byte above 127', [['X-Latin', 'caf\xe9']], ({ HTTP_X_LATIN = '' }) =>
    same('HTTP_X_LATIN', HTTP_X_LATIN, 'caf\xe9'),
  ),
  fields('cookies', 'a `Cookie` like those of browsers', [['Cookie', 'a=1; b="2"; c=%20']], ({ HTTP_COOKIE = '' }) =>
    same('HTTP_COOKIE', HTTP_COOKIE, 'a=1; b="2"; c=%20'),
  ),
];
