import { ViaductError } from '../../errors.ts';
import { requestField } from '../../http/derived-request.ts';
import { type Handler, mapResponse } from '../../http/handler.ts';
import type { Request } from '../../http/message.ts';
import { Response } from '../../http/response.ts';
import { describeFeature } from '../feature.ts';
import { omitUndefined } from '../options.ts';
import { mergeFields } from './field-rules.ts';
import { Origins } from './origins.ts';
import { varyField } from './vary.ts';

/** Options of `cors`. */
export interface CorsOptions {
  /** Allowed origins: `https://example.com`, `https://*.example.com` (any depth, not the bare name), `null` or `*`. */
  readonly origins: readonly string[];
  /** Allowed methods in addition to GET, HEAD and POST. */
  readonly methods?: readonly string[];
  /** Allowed request fields in addition to the safe ones; `*` for all requested fields. */
  readonly headers?: readonly string[];
  /** Response fields that scripts may read in addition to the safe ones. */
  readonly exposedHeaders?: readonly string[];
  /** Whether cookies and authentication may be sent. Not allowed with the origins `*` and `null`. */
  readonly credentials?: boolean;
  /** Seconds for which a browser remembers a preflight; the browser's own time if absent. */
  readonly maxAgeS?: number;
  /** Whether pages of public sites may reach this server in a private network (Private Network Access). */
  readonly privateNetwork?: boolean;
}

/**
 * Cross-origin resource sharing (Fetch standard, section 3.3). Answers preflights with 204 and the allowed methods and fields, or with 403 if the origin is not
 * allowed. All other requests go on, including OPTIONS without `Access-Control-Request-Method`. Their responses get the fields that let a page of an allowed origin
 * read them, instead of the application's own fields.
 *
 * @throws ViaductError `SETTINGS` for an invalid origin, method or field name, and for credentials with `*` or `null`
 */
export function cors(options: CorsOptions): Handler {
  const origins = new Origins(options.origins);
  check(options);
  const { exposedHeaders = [], credentials = false } = options;
  const grants = credentials ? ['Access-Control-Allow-Credentials', 'true'] : [];
  const exposed = exposedHeaders.length === 0 ? [] : ['Access-Control-Expose-Headers', exposedHeaders.join(', ')];

  return function cors(request, next) {
    const origin = requestField(request, 'origin');
    if (origin !== null && isPreflight(request)) return preflight(request, origin, origins, options, grants);
    return mapResponse(next(request), (response) => {
      const vary = origins.any ? [] : varyField(response, ['Origin']);
      const isAllowed = origin !== null && origins.has(origin);
      const set = isAllowed ? [...vary, ALLOW_ORIGIN, origins.any ? '*' : origin, ...grants, ...exposed] : vary;
      return set.length === 0 ? response : mergeFields(response, { set });
    });
  };
}

/** `cors` in a configuration. */
export const corsFeature = describeFeature({
  key: 'cors',
  scope: 'site',
  description: 'Allows pages of other origins to read responses (cross-origin resource sharing).',
  page: 'handlers.md#cors',
  schema: ({ feature, bool, listOf, whole, words }) =>
    feature({
      origins: listOf(words('an origin such as https://example.org')).describe(
        'Allowed origins, such as https://example.org, https://*.example.org, null or *.',
      ),
      methods: listOf(words('a method')).prefault([]).describe('Allowed methods in addition to GET, HEAD and POST.'),
      headers: listOf(words('a field name'))
        .prefault([])
        .describe('Allowed request fields in addition to the safe ones. "*" allows all.'),
      exposed_headers: listOf(words('a field name')).prefault([]).describe('Response fields that scripts may read.'),
      credentials: bool().default(false).describe('Whether cookies may be sent. Never with "*" or "null".'),
      max_age_s: whole(0, 31_536_000).optional().meta({
        description: 'How many seconds a browser remembers a preflight.',
        defaultText: "the browser's own time",
      }),
      private_network: bool()
        .default(false)
        .describe('Whether pages of public sites may reach this server in a private network.'),
    }),
  create: ({ origins, methods, headers, exposed_headers, credentials, max_age_s, private_network }) =>
    cors(
      omitUndefined({
        origins,
        methods,
        headers,
        exposedHeaders: exposed_headers,
        credentials,
        maxAgeS: max_age_s,
        privateNetwork: private_network,
      }),
    ),
});

const ALLOW_ORIGIN = 'Access-Control-Allow-Origin';
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const SAFE_METHODS = ['GET', 'HEAD', 'POST'];
/** Forbidden methods of the Fetch standard. */
const FORBIDDEN_METHODS: ReadonlySet<string> = new Set(['CONNECT', 'TRACE', 'TRACK']);

function isPreflight(request: Request): boolean {
  return request.method === 'OPTIONS' && requestField(request, 'access-control-request-method') !== null;
}

function preflight(
  request: Request,
  origin: string,
  origins: Origins,
  options: CorsOptions,
  grants: string[],
): Response {
  const { methods = [], headers = [], maxAgeS, privateNetwork = false } = options;
  const requested = requestField(request, 'access-control-request-headers');
  const echoes = headers.includes('*');
  const depends = [
    ...(origins.any ? [] : ['Origin']),
    ...(echoes ? ['Access-Control-Request-Headers'] : []),
    ...(privateNetwork ? ['Access-Control-Request-Private-Network'] : []),
  ];
  const vary = depends.length === 0 ? [] : ['Vary', depends.join(', ')];
  if (!origins.has(origin)) return Response.text(403, 'Forbidden: this origin is not allowed\n', vary);
  const names = echoes ? namesIn(requested ?? '') : headers;
  const isPrivate = privateNetwork && requestField(request, 'access-control-request-private-network') === 'true';
  const fields = [
    ...[ALLOW_ORIGIN, origins.any ? '*' : origin, ...grants],
    ...['Access-Control-Allow-Methods', [...new Set([...SAFE_METHODS, ...methods])].join(', ')],
    ...(names.length === 0 ? [] : ['Access-Control-Allow-Headers', names.join(', ')]),
    ...(maxAgeS === undefined ? [] : ['Access-Control-Max-Age', `${maxAgeS}`]),
    ...(isPrivate ? ['Access-Control-Allow-Private-Network', 'true'] : []),
    ...vary,
  ];
  return Response.fromHeaders(204, fields, null);
}

/** The valid field names of a list. `*` is left out, because it does not cover Authorization, and nothing with credentials. */
function namesIn(list: string): string[] {
  return list
    .split(',')
    .map((name) => name.trim())
    .filter((name) => TOKEN.test(name) && name !== '*');
}

function check({
  origins,
  methods = [],
  headers = [],
  exposedHeaders = [],
  credentials = false,
  maxAgeS,
}: CorsOptions): void {
  const refuse = (option: string, state: string, advice: string) => {
    throw new ViaductError('SETTINGS', `Cannot use CORS ${option}: ${state}`, { advice });
  };
  if (origins.length === 0) refuse('without origins', 'no page could use it', 'List the origins of the pages.');
  const open = origins.find((origin) => origin === '*' || origin === 'null');
  if (credentials && open !== undefined) {
    refuse(`credentials with origin "${open}"`, 'any page could act as the user', 'List the origins.');
  }
  for (const method of methods) {
    if (!TOKEN.test(method) || FORBIDDEN_METHODS.has(method.toUpperCase())) {
      refuse(
        `method ${JSON.stringify(method)}`,
        'browsers never send it for a page',
        'Write methods such as PUT and DELETE.',
      );
    }
  }
  for (const name of [...headers, ...exposedHeaders]) {
    if (!TOKEN.test(name))
      refuse(`header ${JSON.stringify(name)}`, 'it is not a field name', 'Write names of header fields.');
  }
  if (exposedHeaders.includes('*') && credentials) {
    refuse('exposed header "*" with credentials', 'browsers take it as a name', 'List the names.');
  }
  if (maxAgeS !== undefined && (!Number.isSafeInteger(maxAgeS) || maxAgeS < 0)) {
    refuse(`max-age "${maxAgeS}"`, 'it is not a number of seconds', 'Write 0 or more.');
  }
}
