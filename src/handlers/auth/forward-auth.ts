import { messageOf, ViaductError } from '../../errors.ts';
import { replaceFields } from '../../http/derived-request.ts';
import { FieldNames, withoutFields } from '../../http/field-names.ts';
import type { Handler } from '../../http/handler.ts';
import type { HeaderList, Request } from '../../http/message.ts';
import { refuse } from '../../http/request-record.ts';
import { Response } from '../../http/response.ts';
import { toPromise } from '../../http/to-promise.ts';
import { STANDARD_PLACEHOLDERS } from '../../placeholders/placeholders.ts';
import { describeFeature } from '../feature.ts';
import { fieldNames, mergeFields } from '../headers/field-rules.ts';
import { omitUndefined } from '../options.ts';
import { UrlTarget } from '../rewriting/url-target.ts';

/** The request to the authentication service, which has no content. */
export interface AuthQuestion {
  /** The method of every question. */
  readonly method: 'GET';
  /** Path and query at the service. */
  readonly path: string;
  /** Fields without Host, because the service gets its own. */
  readonly headers: HeaderList;
}

/** The head of the service's answer. */
export interface AuthAnswer {
  /** Status of the answer. */
  readonly status: number;
  /** Fields of the answer. */
  readonly headers: HeaderList;
}

/** Options of `forwardAuth`. */
export interface ForwardAuthOptions {
  /** Asks the service. Rejects if the service does not answer: with a `TimeoutError` or the code `ETIMEDOUT` if it took too long. */
  readonly ask: (question: AuthQuestion) => Promise<AuthAnswer>;
  /** Path and query at the service, with placeholders. */
  readonly path: string;
  /** Request fields that the service gets. By default all except those of content, conditions and the connection. */
  readonly requestHeaders?: readonly string[];
  /**
   * Fields of a 2xx answer that are added to the request, instead of the client's own fields of these names. A table has the
   * names of request fields, and for each the name of the field of the answer.
   */
  readonly copyHeaders?: readonly string[] | Readonly<Record<string, string>>;
  /** Fields of a 2xx answer that are added to the response, such as Set-Cookie. */
  readonly clientHeaders?: readonly string[];
  /** Gets the error if the service did not answer, or answered with an unexpected status. */
  readonly onError?: ((error: unknown) => void) | null;
}

/**
 * Asks a service whether a request is allowed. After 2xx the request goes on. 401, 403 and redirects go to the client, without content but with Location,
 * WWW-Authenticate and Set-Cookie. In all other cases the client gets 504 if the service was too slow, else 502.
 *
 * The service gets `X-Forwarded-Method`, `-Proto`, `-Host`, `-Uri` and `-For`, instead of the client's own fields of these names.
 *
 * @throws ViaductError `SETTINGS` for a path without a slash, and for field names that are invalid or frame a message
 */
export function forwardAuth(options: ForwardAuthOptions, placeholders = STANDARD_PLACEHOLDERS): Handler {
  const { ask, clientHeaders = [], onError = null } = options;
  const copies = copiesOf(options);
  check(options, copies);
  const target = new UrlTarget(options.path, 'authentication path', placeholders);
  const chosen = options.requestHeaders === undefined ? null : lowerCase(options.requestHeaders);
  const own = new FieldNames(copies.map(({ to }) => to));
  const forClient = lowerCase(clientHeaders);

  return function forwardAuth(request, next) {
    return decide(request).then((answer) => {
      if (answer instanceof Response) return answer;
      const passed = own.size === 0 ? request : replaceFields(request, own, copied(answer.headers, copies));
      const response = toPromise(next(passed));
      const added = forClient.size === 0 ? [] : only(answer.headers, forClient);
      return added.length === 0 ? response : response.then((result) => mergeFields(result, { add: added }));
    });
  };

  /** The service's 2xx answer, or the response for the client. */
  async function decide(request: Request): Promise<AuthAnswer | Response> {
    const path = target.fill(request, []);
    if (path === null) return Response.text(400, 'Bad Request: no path for this request\n');
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
      return isTimeout(error)
        ? refuse(request, 'authentication timed out', Response.text(504, 'Gateway Timeout\n'))
        : refuse(request, 'authentication failed', Response.text(502, 'Bad Gateway\n'));
    }
  }
}

/** `forward_auth` in a configuration. */
export const forwardAuthFeature = describeFeature({
  key: 'forward_auth',
  scope: 'site',
  description: 'Asks a service whether a request is allowed.',
  page: 'handlers.md#forward_auth',
  schema: ({ z, feature, duration, listOf, record, text, words }) =>
    feature({
      url: text(/^https?:\/\/[^\s/?#]+\/\S*$/, 'a URL with a path, such as http://127.0.0.1:9091/verify').describe(
        'The service, with the path to request, which may have placeholders.',
      ),
      timeout_ms: duration(1).prefault(5000).describe('Time for the whole answer; then 504.'),
      request_headers: listOf(words('a field name')).optional().meta({
        description: 'Request fields that the service receives.',
        defaultText: 'all except those of content, conditions and the connection',
      }),
      copy_headers: z
        .union(
          [listOf(words('a field name')), record(words('a field name'))],
          'must be a field name, a list of them, or a table of request fields and the fields of the answer for them',
        )
        .prefault([])
        .describe(
          "Fields of a 2xx answer that are added to the request. The client's own are removed, on all routes except Authorization and Cookie. A table gives them other names: request fields, and for each the field of the answer.",
        ),
      client_headers: listOf(words('a field name'))
        .prefault([])
        .describe('Fields of a 2xx answer that are added to the response, such as Set-Cookie.'),
    }),
  create: ({ url, timeout_ms, request_headers, copy_headers, client_headers }, { service, onError, placeholders }) => {
    const slash = url.indexOf('/', url.indexOf('//') + 2);
    return forwardAuth(
      omitUndefined({
        ask: service(url.slice(0, slash), timeout_ms),
        path: url.slice(slash),
        requestHeaders: request_headers,
        copyHeaders: copy_headers,
        clientHeaders: client_headers,
        onError: (error: unknown) => onError(`Cannot ask ${url}: ${messageOf(error)}`),
      }),
      placeholders,
    );
  },
  claims: ({ copy_headers }) => requestNames(copy_headers).filter((name) => !/^(?:authorization|cookie)$/i.test(name)),
  owns: ({ copy_headers }) => requestNames(copy_headers),
});

const DENIALS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308, 401, 403]);
const DENIAL_FIELDS: ReadonlySet<string> = new Set(['location', 'www-authenticate', 'set-cookie']);
/** Fields that are not for the service: they are about the connection, about content that it does not get, or conditions for another resource. */
const NOT_SENT = new FieldNames([
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
const FORWARDED = new FieldNames(
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
  const ownFields = withoutFields(headers, FORWARDED);
  return chosen === null ? withoutFields(ownFields, NOT_SENT) : only(ownFields, chosen);
}

function forwarded({ method, path, query, host, peer }: Request): string[] {
  return [
    ...['X-Forwarded-Method', method, 'X-Forwarded-Proto', peer.secure ? 'https' : 'http', 'X-Forwarded-Host', host],
    ...['X-Forwarded-Uri', query === '' ? path : `${path}?${query}`, 'X-Forwarded-For', peer.remoteAddress],
  ];
}

/** The response for a denied request. Nobody may cache it, because the same client can be allowed a moment later. */
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

/** A field of an answer, in lower case, and the request field that gets its value. */
interface Copy {
  readonly from: string;
  readonly to: string;
}

type CopyHeaders = NonNullable<ForwardAuthOptions['copyHeaders']>;

function copiesOf({ copyHeaders = [] }: ForwardAuthOptions): Copy[] {
  if (isList(copyHeaders)) return copyHeaders.map((name) => ({ from: name.toLowerCase(), to: name }));
  return Object.entries(copyHeaders).map(([to, from]) => ({ from: from.toLowerCase(), to }));
}

function requestNames(copyHeaders: CopyHeaders): readonly string[] {
  return isList(copyHeaders) ? copyHeaders : Object.keys(copyHeaders);
}

function isList(copyHeaders: CopyHeaders): copyHeaders is readonly string[] {
  return Array.isArray(copyHeaders);
}

/** The request fields with the values of an answer. */
function copied(headers: HeaderList, copies: readonly Copy[]): string[] {
  return fieldNames(headers).flatMap((name, index) =>
    copies.filter(({ from }) => from === name).flatMap(({ to }) => [to, headers[index * 2 + 1] as string]),
  );
}

function lowerCase(names: readonly string[]): ReadonlySet<string> {
  return new Set(names.map((name) => name.toLowerCase()));
}

function isTimeout(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return error.name === 'TimeoutError' || (error as NodeJS.ErrnoException).code === 'ETIMEDOUT';
}

function check({ path, requestHeaders = [], clientHeaders = [] }: ForwardAuthOptions, copies: readonly Copy[]): void {
  if (!/^\/[\x21-\x7e]*$/.test(path)) {
    throw new ViaductError('SETTINGS', `Cannot ask for authentication at ${JSON.stringify(path)}: it is not a path`, {
      advice: 'Write a path that starts with a slash, percent-encoded.',
    });
  }
  const names = [...copies.flatMap(({ from, to }) => [to, from]), ...clientHeaders];
  const invalid =
    [...requestHeaders, ...names].find((name) => !TOKEN.test(name)) ??
    names.find((name) => NOT_COPIED.has(name.toLowerCase()));
  if (invalid === undefined) return;
  throw new ViaductError(
    'SETTINGS',
    `Cannot copy header ${JSON.stringify(invalid)} for authentication: it is not a field that can be copied`,
    {
      advice: 'Write names such as X-Remote-User.',
    },
  );
}
