import { ViaductError } from '../../errors.ts';
import { deriveRequest, requestField } from '../../http/derived-request.ts';
import type { Handler } from '../../http/handler.ts';
import type { Request } from '../../http/message.ts';
import { Response } from '../../http/response.ts';
import { settle } from '../../http/to-promise.ts';
import { type Credential, Credentials, type Verdict } from './credentials.ts';
import { parsePasswordHash } from './passwords.ts';
import { withoutFields } from './request-headers.ts';

export interface BasicAuthOptions {
  /** Hashes that `parsePasswordHash` knows, by user name; see `readHtpasswd`. */
  readonly users: ReadonlyMap<string, string>;
  /** What a browser shows with its question for a password. */
  readonly realm?: string;
  /** Request field in which those behind get the user's name (UTF-8); what a client sends in it never gets there. */
  readonly userHeader?: string | null;
  /** Whether `Authorization` ends here, as an application wants that looks at it too. */
  readonly hideCredentials?: boolean;
  /** How long a credential that was right is not verified again; 0 verifies each time. */
  readonly rememberMs?: number;
}

/**
 * Basic authentication (RFC 7617): who does not send the name and password of a user gets 401, and 503 when more passwords than can be verified
 * wait already. Names and passwords are UTF-8.
 *
 * @throws ViaductError `SETTINGS` without users, for a name with a colon or control in it, a hash that cannot be used, or a realm or field
 * name that could not be sent.
 */
export function basicAuth(options: BasicAuthOptions): Handler {
  const { users, realm = 'Restricted', userHeader = null, hideCredentials = false, rememberMs = 60_000 } = options;
  check(options);
  const hashes = [...users].map(([user, hash]) => [user, parsePasswordHash(hash, user)] as const);
  const credentials = new Credentials(new Map(hashes), rememberMs);
  const challenge = ['WWW-Authenticate', `Basic realm="${realm.replace(/["\\]/g, '\\$&')}", charset="UTF-8"`];
  const hidden = new Set(hideCredentials ? ['authorization'] : []);
  if (userHeader !== null) hidden.add(userHeader.toLowerCase());

  return function basicAuth(request, next) {
    const credential = readCredential(requestField(request, 'authorization'));
    if (credential === null) return unauthorized();
    const verdict = credentials.verify(credential);
    return typeof verdict === 'string' ? answer(verdict) : verdict.then((later) => settle(answer(later)));

    function answer(found: Verdict) {
      if (found === 'valid') return next(hidden.size === 0 ? request : shown(request, credential as Credential));
      return found === 'busy' ? busy() : unauthorized();
    }
  };

  function unauthorized(): Response {
    return Response.text(401, 'Unauthorized\n', challenge);
  }

  function shown(request: Request, { user }: Credential): Request {
    const headers = withoutFields(request.headers, hidden);
    if (userHeader !== null) headers.push(userHeader, Buffer.from(user, 'utf8').toString('latin1'));
    return deriveRequest(request, { headers });
  }
}

/** Null for no Basic credential, or a broken one. */
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

const TOKEN = /^[!#$%&'*+\-.^`|~0-9A-Za-z]+$/;
const CONTROL = /\p{Cc}/u;

function check({ users, realm = '', userHeader = null }: BasicAuthOptions): void {
  const refuse = (message: string, advice: string) => {
    throw new ViaductError('SETTINGS', `Cannot ${message}`, { advice });
  };
  if (users.size === 0) refuse('authenticate without users: nobody could come in', 'Name users, or a file with some.');
  for (const user of users.keys()) {
    if (user !== '' && !user.includes(':') && !CONTROL.test(user)) continue;
    refuse(`use user ${JSON.stringify(user)}: no browser can send that name`, 'Write a name without colons.');
  }
  if (!/^[\x20-\x7e]*$/.test(realm)) {
    refuse(`use realm ${JSON.stringify(realm)}: it holds more than ASCII`, 'Write letters, digits and spaces.');
  }
  if (userHeader !== null && !TOKEN.test(userHeader)) {
    refuse(
      `tell the user in header ${JSON.stringify(userHeader)}: it is no name`,
      'Write a name such as X-Remote-User.',
    );
  }
}
