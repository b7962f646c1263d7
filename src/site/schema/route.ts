import * as z from 'zod';
import { DECODED } from '../../handlers/rewriting/path-pattern.ts';
import { proxiedBackend } from './backend.ts';
import { condition } from './condition.ts';
import { routeFeatures } from './features.ts';
import { host } from './host.ts';
import { proxyOptions } from './proxy-options.ts';
import { staticOptions } from './static-options.ts';
import { bool, duration, listOf, oneOf, record, table, text, whole, words } from './tools.ts';

const path = text(/^(?:\/[^*]*\*?|\*|@[\w.-]+)$/, 'a path: /exact, /below/*, /start*, * for every path, or @name');
const method = text(/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/, 'a method such as GET');
const prefix = text(/^\/(?:[^/*?#%][^*?#%]*)?[^/*?#%]$/, 'a path that starts with a slash and does not end with one');
const values = record(z.string('must be a text, or "*" for any'));

/** The conditions of a route. */
export const routeMatch = {
  name: words('a name')
    .optional()
    .meta({ description: 'Name of the route in the output of viaduct check.', defaultText: 'route and its number' }),
  internal: bool()
    .default(false)
    .describe('Whether only an application can lead to this route, with X-Accel-Redirect, and clients cannot.'),
  listen: listOf(words('an address of the setting listen')).prefault([]).meta({
    description: 'Addresses of the setting listen over which the requests come.',
    defaultText: 'all addresses',
  }),
  host: listOf(host).prefault([]).meta({ description: 'Hosts of the requests.', defaultText: 'all hosts' }),
  host_pattern: listOf(words('a regular expression'))
    .prefault([])
    .describe('Regular expressions for the host, in lower case and without port, as alternatives to host.'),
  path: listOf(path).prefault([]).meta({
    description:
      'Paths of the requests. /below/* includes /below itself, /start* also /starting. Only error pages lead to @name.',
    defaultText: 'all paths, or those below mount',
  }),
  path_pattern: listOf(words('a regular expression'))
    .prefault([])
    .describe('Regular expressions for the path, as alternatives to path.'),
  before_patterns: bool()
    .default(false)
    .describe('Whether a path of this route that ends with * wins over the path_pattern of other routes.'),
  methods: listOf(method)
    .prefault([])
    .meta({ description: 'Methods of the requests. GET includes HEAD.', defaultText: 'all methods' }),
  match_headers: values
    .default({})
    .describe('Fields (headers) that the requests must have, with their values. "*" matches any value.'),
  match_query: values
    .default({})
    .describe('Parameters that the query must have, with their values. "*" matches any value.'),
  when: record(condition)
    .default({})
    .describe('Texts with placeholders, and the values that they must have. A table has more comparisons.'),
};

const redirectTable = table({
  to: words('a path or URL').describe('The target, a path or a URL with placeholders.'),
  status: z
    .literal([301, 302, 303, 307, 308], 'must be 301, 302, 303, 307 or 308')
    .default(302)
    .describe('Status of the redirect.'),
  pattern: words('a regular expression')
    .optional()
    .meta({ description: 'Only paths that match are redirected.', defaultText: 'all paths' }),
  decoded: bool().default(false).describe(DECODED),
});

const redirect = z.union(
  [
    words('a path or URL').transform((to) => ({ to, status: 302 as const, pattern: undefined, decoded: false })),
    redirectTable,
  ],
  'must be a path or URL, or a table',
);

const respond = table({
  status: whole(200, 599)
    .default(200)
    .describe('Status of the answer. 444 without a body closes the connection, as in nginx.'),
  body: z.string('must be a text').default('').describe('Content (the body) of the answer, with placeholders.'),
  content_type: words('a media type').default('text/plain; charset=utf-8').describe('The Content-Type of the answer.'),
});

/** The keys for what answers: one of them, or files before an application or a backend. */
export const routeContent = {
  app: words('the name of an application').optional().meta({
    description: 'An application from [apps], or "main" for the main application.',
    defaultText: 'the main application, unless another key of this group says what answers',
  }),
  mount: prefix
    .optional()
    .describe('Prefix that the application receives as SCRIPT_NAME. A route with mount needs no path.'),
  static: listOf(words('the path of a directory'))
    .prefault([])
    .describe('Directories with files. The first directory that has the file wins.'),
  static_options: staticOptions.prefault({}).describe('How the files are served.'),
  proxy: listOf(proxiedBackend).prefault([]).describe('Backends and service discoveries.'),
  proxy_options: proxyOptions.prefault({}).describe('How requests get to the backends.'),
  redirect: redirect.optional().describe('Redirect all requests to this path or URL. A table has more options.'),
  respond: respond.optional().describe('A fixed answer.'),
};

const share = z
  .number('must be a number from 0 to 1')
  .min(0, 'must be a number from 0 to 1')
  .max(1, 'must be a number from 0 to 1');

const lineRule = table({
  sample: share.default(0).describe('The share of requests that have a line: 0.01 is one of a hundred.'),
  errors: bool()
    .default(true)
    .describe('Whether each error has a line: a status from 400, or a response that broke off.'),
  slow_ms: duration().default(0).describe('Each request that took so long has a line. 0: none because of its time.'),
});

/** The key for handlers that check access. */
export const satisfy = oneOf(['all', 'any']);

/** The keys for what a request must pass. */
export const routeChecks = {
  satisfy: satisfy.optional().meta({
    description: 'Whether a request must pass all of access, basic_auth and forward_auth, or any of them.',
    defaultText: 'that of the whole site',
  }),
};

/** The keys for the logs. */
export const routeLog = {
  access_log: z
    .union(
      [bool().transform((all) => ({ sample: all ? 1 : 0, errors: all, slow_ms: 0 })), lineRule],
      'must be true, false or a table',
    )
    .optional()
    .meta({
      description: 'Which requests have a line in the access log. A table has more options.',
      defaultText: 'true: all requests',
    }),
};

/** The keys for traces. */
export const routeTrace = {
  trace: share.optional().meta({
    description: 'The share of its requests that are recorded in full, instead of that of [trace].',
    defaultText: 'that of [trace]',
  }),
};

/** A route. */
export const route = table({
  ...routeMatch,
  ...routeContent,
  ...routeChecks,
  ...routeLog,
  ...routeTrace,
  ...routeFeatures,
});
