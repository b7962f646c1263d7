import { ViaductError } from '../../errors.ts';
import { deriveRequest, replaceFields, requestField } from '../../http/derived-request.ts';
import { FieldNames } from '../../http/field-names.ts';
import type { Handler } from '../../http/handler.ts';
import type { Request } from '../../http/message.ts';
import { refuse } from '../../http/request-record.ts';
import { Response } from '../../http/response.ts';
import { toPromise } from '../../http/to-promise.ts';
import { describeFeature } from '../feature.ts';
import { omitUndefined } from '../options.ts';
import { type Credential, Credentials, type Verdict } from './credentials.ts';
import { readHtpasswd } from './htpasswd.ts';
import { isMd5Hash, parsePasswordHash } from './passwords.ts';

/** Options of `basicAuth`. */
export interface BasicAuthOptions {
  /** Password hashes by user name, as `hashPassword` makes them and `readHtpasswd` reads them. */
  readonly users: ReadonlyMap<string, string>;
  /** The text that a browser shows when it asks for a password. `Restricted` by default. */
  readonly realm?: string;
  /** Request field in which the application receives the user's name (UTF-8). The client's own field of this name is removed. None by default. */
  readonly userHeader?: string | null;
  /** Whether to remove `Authorization` before the application sees it. Some applications evaluate this field themselves. False by default. */
  readonly hideCredentials?: boolean;
  /** Whether to accept MD5-crypt (`$apr1$`, `$1$`). Their passwords can be guessed fast by a thief of the file. False by default. */
  readonly allowMd5?: boolean;
  /** Milliseconds for which a correct credential is not verified again. 0: verify every time. 60,000 by default. */
  readonly rememberMs?: number;
}

/**
 * Basic authentication (RFC 7617). A client without the name and password of a user gets 401. If too many passwords wait for verification, it gets 503. Names
 * and passwords are UTF-8. The application gets the name as REMOTE_USER, and `Basic` as AUTH_TYPE (RFC 3875 sections 4.1.1 and 4.1.11).
 *
 * @throws ViaductError `SETTINGS` without users, for a name with a colon or a control character, for an unsupported hash, and for an invalid realm or field name
 */
export function basicAuth(options: BasicAuthOptions): Handler {
  const { users, realm = REALM, userHeader = null, hideCredentials = false, rememberMs = REMEMBER_MS } = options;
  const { allowMd5 = false } = options;
  check(options);
  const hashes = [...users].map(([user, hash]) => [user, parsePasswordHash(hash, user, allowMd5)] as const);
  const credentials = new Credentials(new Map(hashes), rememberMs);
  const challenge = ['WWW-Authenticate', `Basic realm="${realm.replace(/["\\]/g, '\\$&')}", charset="UTF-8"`];
  const hidden = new FieldNames([
    ...(hideCredentials ? ['authorization'] : []),
    ...(userHeader === null ? [] : [userHeader]),
  ]);

  return function basicAuth(request, next) {
    const credential = readCredential(requestField(request, 'authorization'));
    if (credential === null) return unauthorized();
    const verdict = credentials.verify(credential);
    return typeof verdict === 'string' ? answer(verdict) : verdict.then((later) => toPromise(answer(later)));

    function answer(result: Verdict) {
      if (result === 'valid') return next(withUser(request, credential as Credential));
      return result === 'busy' ? refuse(request, 'too many passwords to verify', busy()) : unauthorized();
    }
  };

  function unauthorized(): Response {
    return Response.text(401, 'Unauthorized\n', challenge);
  }

  function withUser(request: Request, { user }: Credential): Request {
    if (hidden.size === 0) return deriveRequest(request, { user });
    const added = userHeader === null ? [] : [userHeader, Buffer.from(user, 'utf8').toString('latin1')];
    return replaceFields(request, hidden, added, { user });
  }
}

/** `basic_auth` in a configuration. */
export const basicAuthFeature = describeFeature({
  key: 'basic_auth',
  scope: 'site',
  description: 'Asks for a name and password; without valid ones: 401.',
  page: 'handlers.md#basic_auth',
  schema: ({ feature, bool, duration, record, words }) =>
    feature({
      users: record(words('a password hash: viaduct hash-password makes one'))
        .default({})
        .describe('Users and the hashes of their passwords.'),
      file: words('the path of a file')
        .optional()
        .describe('An htpasswd file, read at start and reload. users wins over the file.'),
      remember_ms: duration(0)
        .prefault(REMEMBER_MS)
        .describe('How long a correct password is remembered, so that it is not verified again.'),
      allow_md5: bool()
        .default(false)
        .describe(
          'Whether hashes of MD5 ($apr1$, $1$), the default of htpasswd, are accepted. They can be guessed fast.',
        ),
      realm: words('a text').default(REALM).describe('Text that a browser shows.'),
      user_header: words('a field name')
        .optional()
        .describe(
          "Request field in which the application receives the user's name. The client's own is removed, on all routes.",
        ),
      hide_credentials: bool()
        .default(false)
        .describe('Whether Authorization is removed before the application sees it.'),
    }),
  create: ({ users, file, remember_ms, allow_md5, realm, user_header, hide_credentials }, { pathOf, warn }) => {
    const all = new Map([...(file === undefined ? [] : readHtpasswd(pathOf(file))), ...Object.entries(users)]);
    const weak = [...all.values()].filter(isMd5Hash).length;
    if (allow_md5 && weak > 0)
      warn(
        `${weak} of ${all.size} passwords are hashed with MD5, which can be guessed fast by a thief of the hashes; replace them`,
      );
    return basicAuth(
      omitUndefined({
        users: all,
        realm,
        rememberMs: remember_ms,
        allowMd5: allow_md5,
        userHeader: user_header,
        hideCredentials: hide_credentials,
      }),
    );
  },
  claims: ({ user_header }) => (user_header === undefined ? [] : [user_header]),
  owns: ({ user_header, hide_credentials }) => [
    ...(user_header === undefined ? [] : [user_header]),
    ...(hide_credentials ? ['authorization'] : []),
  ],
});

/** The Basic credential; null if it is missing or malformed. */
function readCredential(authorization: string | null): Credential | null {
  const [, encoded] = /^basic +([A-Za-z0-9+/]+={0,2})$/i.exec(authorization ?? '') ?? [];
  if (encoded === undefined) return null;
  const bytes = Buffer.from(encoded, 'base64');
  const colon = bytes.indexOf(':');
  return colon < 0 ? null : { user: bytes.toString('utf8', 0, colon), password: bytes.subarray(colon + 1) };
}

function busy(): Response {
  return Response.text(503, 'Service Unavailable\n', ['Retry-After', '1']);
}

const REALM = 'Restricted';
const REMEMBER_MS = 60_000;
const TOKEN = /^[!#$%&'*+\-.^`|~0-9A-Za-z]+$/;
const CONTROL = /\p{Cc}/u;

function check({ users, realm = '', userHeader = null }: BasicAuthOptions): void {
  const refuse = (message: string, advice: string) => {
    throw new ViaductError('SETTINGS', `Cannot ${message}`, { advice });
  };
  if (users.size === 0) refuse('authenticate without users: nobody could come in', 'Add users, or a file with users.');
  for (const user of users.keys()) {
    if (user !== '' && !user.includes(':') && !CONTROL.test(user)) continue;
    refuse(`use user ${JSON.stringify(user)}: browsers cannot send this name`, 'Write a name without colons.');
  }
  if (!/^[\x20-\x7e]*$/.test(realm)) {
    refuse(
      `use realm ${JSON.stringify(realm)}: it contains characters outside of ASCII`,
      'Write letters, digits and spaces.',
    );
  }
  if (userHeader !== null && !TOKEN.test(userHeader)) {
    refuse(
      `send the user's name in header ${JSON.stringify(userHeader)}: it is not a field name`,
      'Write a name such as X-Remote-User.',
    );
  }
}
