import { ViaductError } from '../../errors.ts';
import { requestField } from '../../http/derived-request.ts';
import { after, type Handler } from '../../http/handler.ts';
import type { Request } from '../../http/message.ts';
import { Response } from '../../http/response.ts';
import { mergeFields } from './field-rules.ts';
import { Origins } from './origins.ts';
import { varyField } from './vary.ts';

export interface CorsOptions {
  /** `https://example.com`, `https://*.example.com` (any depth, not the bare name), `null`, or `*`. */
  readonly origins: readonly string[];
  /** Methods beside GET, HEAD and POST, which need no permission. */
  readonly methods?: readonly string[];
  /** Request fields beside those that need no permission; `*` for all that are asked for. */
  readonly headers?: readonly string[];
  /** Response fields that scripts may read beside those that they always may. */
  readonly exposedHeaders?: readonly string[];
  /** Whether cookies and authentication may come along; never with `*` or `null` among the origins. */
  readonly credentials?: boolean;
  /** How long a browser remembers what a preflight allowed; its own time when it is left out. */
  readonly maxAgeS?: number;
  /** Allows pages of public sites to reach a server in a private network (Private Network Access). */
  readonly privateNetwork?: boolean;
}

/**
 * Cross-origin resource sharing (Fetch standard, section 3.3). Preflights are answered here: 204 with what is allowed, 403 for another
 * origin. To every other request's response the fields are added that let the page of an allowed origin read it, in place of those of the
 * application; OPTIONS without `Access-Control-Request-Method` is such a request.
 *
 * @throws ViaductError `SETTINGS` for an origin, method or name that is none, and for credentials with `*` or `null`.
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
    return after(next(request), (response) => {
      const vary = origins.any ? [] : varyField(response, ['Origin']);
      const isAllowed = origin !== null && origins.has(origin);
      const set = isAllowed ? [...vary, ALLOW_ORIGIN, origins.any ? '*' : origin, ...grants, ...exposed] : vary;
      return set.length === 0 ? response : mergeFields(response, { set });
    });
  };
}

const ALLOW_ORIGIN = 'Access-Control-Allow-Origin';
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const SAFE_METHODS = ['GET', 'HEAD', 'POST'];
/** Fetch standard, forbidden method. */
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
  const asked = requestField(request, 'access-control-request-headers');
  const echoes = headers.includes('*');
  const depends = [
    ...(origins.any ? [] : ['Origin']),
    ...(echoes ? ['Access-Control-Request-Headers'] : []),
    ...(privateNetwork ? ['Access-Control-Request-Private-Network'] : []),
  ];
  const vary = depends.length === 0 ? [] : ['Vary', depends.join(', ')];
  if (!origins.has(origin)) return Response.text(403, 'Forbidden: this origin is not allowed\n', vary);
  const names = echoes ? namesIn(asked ?? '') : headers;
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

/** The names of a list that are names. `*` itself would not cover Authorization, and nothing at all with credentials. */
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
  const refuse = (what: string, state: string, advice: string) => {
    throw new ViaductError('SETTINGS', `Cannot use CORS ${what}: ${state}`, { advice });
  };
  if (origins.length === 0) refuse('without origins', 'no page could use it', 'List the origins of the pages.');
  const open = origins.find((origin) => origin === '*' || origin === 'null');
  if (credentials && open !== undefined) {
    refuse(`credentials with origin "${open}"`, 'any page could act as the user', 'List the origins.');
  }
  for (const method of methods) {
    if (!TOKEN.test(method) || FORBIDDEN_METHODS.has(method.toUpperCase())) {
      refuse(`method ${JSON.stringify(method)}`, 'no page may use it', 'Write methods such as PUT and DELETE.');
    }
  }
  for (const name of [...headers, ...exposedHeaders]) {
    if (!TOKEN.test(name)) refuse(`header ${JSON.stringify(name)}`, 'it is no name', 'Write names of header fields.');
  }
  if (exposedHeaders.includes('*') && credentials) {
    refuse('exposed header "*" with credentials', 'browsers take it for a name', 'List the names.');
  }
  if (maxAgeS !== undefined && (!Number.isSafeInteger(maxAgeS) || maxAgeS < 0)) {
    refuse(`max_age "${maxAgeS}"`, 'it is no number of seconds', 'Write 0 or more.');
  }
}
