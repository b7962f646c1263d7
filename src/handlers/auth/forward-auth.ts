import { ViaductError } from '../../errors.ts';
import { deriveRequest } from '../../http/derived-request.ts';
import type { Handler } from '../../http/handler.ts';
import type { HeaderList, Request } from '../../http/message.ts';
import { Response } from '../../http/response.ts';
import { settle } from '../../http/to-promise.ts';
import { fieldNames, mergeFields } from '../headers/field-rules.ts';
import { withoutFields } from './request-headers.ts';

/** What the authentication service is asked: a request without content. */
export interface AuthQuestion {
  readonly method: 'GET';
  /** Path and query at the service. */
  readonly path: string;
  /** Without Host, which is the service's own. */
  readonly headers: HeaderList;
}

export interface AuthAnswer {
  readonly status: number;
  readonly headers: HeaderList;
}

export interface ForwardAuthOptions {
  /** Asks the service, and fails when it does not answer: with a `TimeoutError` or the code `ETIMEDOUT` when it took too long. */
  readonly ask: (question: AuthQuestion) => Promise<AuthAnswer>;
  /** Path and query at the service. */
  readonly path: string;
  /** Request fields that the service gets; all but those of content, conditions and the connection when it is left out. */
  readonly requestHeaders?: readonly string[];
  /** Fields of the service's consent that those behind get, in place of any that the client sent. */
  readonly copyHeaders?: readonly string[];
  /** Fields of the service's consent that the client gets beside the application's, such as Set-Cookie. */
  readonly clientHeaders?: readonly string[];
  /** Gets why the service was of no use: its failure to answer, or an answer that means nothing. */
  readonly onError?: ((error: unknown) => void) | null;
}

/**
 * Asks a service whether a request may go on. 2xx: it may. 401, 403 and redirections are the client's answer, without content but
 * with Location, WWW-Authenticate and Set-Cookie. Everything else means no: 504 when the service was too slow, else 502.
 *
 * The service gets `X-Forwarded-Method`, `-Proto`, `-Host`, `-Uri` and `-For`, in place of any that the client sent.
 *
 * @throws ViaductError `SETTINGS` for a path without a slash, and for names that are none or frame a message.
 */
export function forwardAuth(options: ForwardAuthOptions): Handler {
  const { ask, path, copyHeaders = [], clientHeaders = [], onError = null } = options;
  check(options);
  const chosen = options.requestHeaders === undefined ? null : lowerCase(options.requestHeaders);
  const copied = lowerCase(copyHeaders);
  const forClient = lowerCase(clientHeaders);

  return function forwardAuth(request, next) {
    return decide(request).then((answer) => {
      if (answer instanceof Response) return answer;
      const passed = copied.size === 0 ? request : withConsent(request, answer.headers, copied);
      const response = settle(next(passed));
      const added = forClient.size === 0 ? [] : only(answer.headers, forClient);
      return added.length === 0 ? response : response.then((found) => mergeFields(found, { add: added }));
    });
  };

  /** The service's consent, or the client's answer. */
  async function decide(request: Request): Promise<AuthAnswer | Response> {
    try {
      const answer = await ask({
        method: 'GET',
        path,
        headers: [...fieldsFor(request, chosen), ...forwarded(request)],
      });
      if (answer.status >= 200 && answer.status < 300) return answer;
      if (DENIALS.has(answer.status)) return denial(answer);
      throw new Error(`the authentication service answered with ${answer.status}`);
    } catch (error) {
      onError?.(error);
      return isTimeout(error) ? Response.text(504, 'Gateway Timeout\n') : Response.text(502, 'Bad Gateway\n');
    }
  }
}

const DENIALS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308, 401, 403]);
const DENIAL_FIELDS: ReadonlySet<string> = new Set(['location', 'www-authenticate', 'set-cookie']);
/** What the service must not take for its own: content that it does not get, conditions on another resource. */
const NOT_ASKED: ReadonlySet<string> = new Set([
  ...[
    'host',
    'connection',
    'keep-alive',
    'proxy-connection',
    'te',
    'trailer',
    'transfer-encoding',
    'upgrade',
    'expect',
  ],
  ...['content-length', 'content-type', 'content-encoding', 'range', 'accept-encoding'],
  ...['if-match', 'if-none-match', 'if-modified-since', 'if-unmodified-since', 'if-range'],
]);
const FORWARDED: ReadonlySet<string> = new Set(
  ['method', 'proto', 'host', 'uri', 'for', 'port', 'server', 'prefix'].map((name) => `x-forwarded-${name}`),
);
const TOKEN = /^[!#$%&'*+\-.^`|~0-9A-Za-z]+$/;
const NOT_COPIED: ReadonlySet<string> = new Set([
  'host',
  'content-length',
  'transfer-encoding',
  'connection',
  'keep-alive',
  'upgrade',
  'te',
  'trailer',
  'expect',
]);

function fieldsFor({ headers }: Request, chosen: ReadonlySet<string> | null): string[] {
  const honest = withoutFields(headers, FORWARDED);
  return chosen === null ? withoutFields(honest, NOT_ASKED) : only(honest, chosen);
}

function forwarded({ method, path, query, host, peer }: Request): string[] {
  return [
    ...['X-Forwarded-Method', method, 'X-Forwarded-Proto', peer.secure ? 'https' : 'http', 'X-Forwarded-Host', host],
    ...['X-Forwarded-Uri', query === '' ? path : `${path}?${query}`, 'X-Forwarded-For', peer.remoteAddress],
  ];
}

function withConsent(request: Request, consent: HeaderList, copied: ReadonlySet<string>): Request {
  return deriveRequest(request, { headers: [...withoutFields(request.headers, copied), ...only(consent, copied)] });
}

/** Nobody keeps it: the same client may be let in a moment later. */
function denial({ status, headers }: AuthAnswer): Response {
  const fields = [...only(headers, DENIAL_FIELDS), 'Cache-Control', 'no-store'];
  if (status < 400) return Response.fromHeaders(status, fields, null);
  return Response.text(status, status === 401 ? 'Unauthorized\n' : 'Forbidden\n', fields);
}

function only(headers: HeaderList, names: ReadonlySet<string>): string[] {
  return fieldNames(headers).flatMap((name, index) =>
    names.has(name) ? [headers[index * 2] as string, headers[index * 2 + 1] as string] : [],
  );
}

function lowerCase(names: readonly string[]): ReadonlySet<string> {
  return new Set(names.map((name) => name.toLowerCase()));
}

function isTimeout(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return error.name === 'TimeoutError' || (error as NodeJS.ErrnoException).code === 'ETIMEDOUT';
}

function check({ path, requestHeaders = [], copyHeaders = [], clientHeaders = [] }: ForwardAuthOptions): void {
  if (!/^\/[\x21-\x7e]*$/.test(path)) {
    throw new ViaductError('SETTINGS', `Cannot ask for authentication at ${JSON.stringify(path)}: it is no path`, {
      advice: 'Write a path that begins with a slash, percent-encoded.',
    });
  }
  const wrong =
    [...requestHeaders, ...copyHeaders, ...clientHeaders].find((name) => !TOKEN.test(name)) ??
    [...copyHeaders, ...clientHeaders].find((name) => NOT_COPIED.has(name.toLowerCase()));
  if (wrong === undefined) return;
  throw new ViaductError(
    'SETTINGS',
    `Cannot copy header ${JSON.stringify(wrong)} for authentication: it is no name of a field to copy`,
    {
      advice: 'Write names such as X-Remote-User.',
    },
  );
}
