import * as z from 'zod';
import { listOf, oneOf, text, whole, words } from '../../site/schema/tools.ts';
import { type MiddlewareEntry, misplacedMiddleware, parseMiddleware } from '../middleware.ts';
import { featureShape, routeOnlyShape } from './features.ts';
import { proxiedBackend, proxyOptions } from './proxy.ts';

const host = text(
  /^(?:\*\.)?[^\s/*:]+$|^\[[0-9A-Fa-f:.]+\]$/,
  'a host name, *.NAME for all names below it, or an [address]',
);
const path = text(/^(?:\/(?:[^*]*\/)?\*?|\/[^*]*|\*)$/, 'a path: /exact, /below/* or * for every one');
const method = text(/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/, 'a method such as GET');
const fields = z.record(z.string(), z.string('must be a text, or "*" for any'));
const prefix = text(/^\/(?:[^/*?#%][^*?#%]*)?[^/*?#%]$/, 'a path that begins with a slash and does not end with one');

const middlewareItem = z
  .union(
    [z.string(), z.strictObject({ use: z.string(), options: z.record(z.string(), z.unknown()).optional() })],
    'must be a text, or a table of use and options',
  )
  .superRefine((raw, context) => {
    const parsed = parseMiddleware(raw, '/');
    if ('wrong' in parsed) context.addIssue({ code: 'custom', message: parsed.wrong });
  });

const middleware = listOf(middlewareItem).superRefine((items, context) => {
  const parsed = items.map((item) => parseMiddleware(item, '/'));
  const entries = parsed.flatMap((one): MiddlewareEntry[] => ('value' in one ? [one.value] : []));
  const misplaced = entries.length < items.length ? null : misplacedMiddleware(entries);
  if (misplaced !== null) {
    context.addIssue({ code: 'custom', path: [misplaced.index], message: misplaced.wrong });
  }
});

const application = z.strictObject({
  target: words('a PATH or MODULE:CALLABLE').meta({
    description: 'Directory or file of the project, or the application in it.',
  }),
  chdir: words('the path of a directory').optional(),
  python: words('the path of an interpreter or of a virtual environment').optional(),
  workers: whole(1, 256).optional(),
  threads: whole(1, 64).optional(),
  /** The outermost first. Paths of modules start at the file. */
  middleware: middleware.default([]),
});

/** Which requests a route is for. */
const match = {
  host: listOf(host).default([]),
  path: listOf(path).default([]),
  path_pattern: listOf(words('a regular expression')).default([]),
  methods: listOf(method).default([]),
  match_headers: fields.default({}),
  match_query: fields.default({}),
};

const yes = z.boolean('must be true or false');
const status = whole(200, 599);

const staticOptions = z.strictObject({
  precompressed: z.union([yes, listOf(oneOf(['br', 'zstd', 'gzip']))]).default(false),
  index: z
    .union([z.literal(false), listOf(words('a file name'))], 'must be file names, or false for none')
    .default(['index.html']),
  fallback: words('a file below the directory').optional(),
  fallback_for: oneOf(['pages', 'all']).optional(),
  try_files: listOf(words('a path with {path}')).optional(),
  immutable: oneOf(['auto', 'always', 'never']).optional(),
  cache_control: z
    .array(z.strictObject({ pattern: words('a glob'), value: words('a value of Cache-Control') }))
    .default([]),
  headers: z.record(z.string(), z.string('must be a text')).default({}),
  listing: yes.default(false),
  fallthrough: yes.optional(),
});

const redirectOptions = z.strictObject({
  to: words('a path or URL'),
  status: z.literal([301, 302, 303, 307, 308], 'must be 301, 302, 303, 307 or 308').default(302),
  pattern: words('a regular expression').optional(),
});

/** What answers: one of them, or files before an application or backend. */
const content = {
  app: words('the name of an application').optional(),
  mount: prefix.optional(),
  static: listOf(words('the path of a directory')).default([]),
  static_options: staticOptions.prefault({}),
  proxy: listOf(proxiedBackend).default([]),
  proxy_options: proxyOptions.prefault({}),
  redirect: z
    .union([
      words('a path or URL').transform((to) => ({ to, status: 302 as const, pattern: undefined })),
      redirectOptions,
    ])
    .optional(),
  respond: z
    .strictObject({
      status: status.default(200),
      body: z.string('must be a text').default(''),
      content_type: words('a media type').default('text/plain; charset=utf-8'),
    })
    .optional(),
};

const route = z.strictObject({
  name: words('a name').optional(),
  /** Only an application can lead here, with X-Accel-Redirect. */
  internal: yes.default(false),
  ...match,
  ...content,
  ...featureShape,
  ...routeOnlyShape,
});

const pemFiles = listOf(words('the path of a PEM file'));
const certificates = {
  /** Several are for keys of different kinds, RSA and ECDSA. */
  certificate: pemFiles.default([]),
  /** In the order of the certificates; none where the key stands in the certificate's file. */
  key: pemFiles.default([]),
  passphrase: words('a passphrase').optional(),
};

const tls = z.strictObject({
  ...certificates,
  self_signed: yes.default(false),
  client_certificates: oneOf(['off', 'optional', 'required']).default('off'),
  client_ca: words('the path of a PEM file').optional(),
  http2: yes.default(true),
  host: z.array(z.strictObject({ names: listOf(host).default([]), ...certificates })).default([]),
});

/** What a settings file can hold beside settings: where requests go, and what happens to them on the way. */
export const siteSchema = z.strictObject({
  apps: z.record(text(/^[A-Za-z0-9_-]+$/, 'a name of letters, digits, - and _'), application).default({}),
  route: z.array(route).default([]),
  tls: tls.optional(),
  trusted_proxies: listOf(words('an address range')).optional(),
  trusted_proxy_fields: oneOf(['any', 'x-forwarded', 'forwarded']).default('any'),
  /** Directories whose files an application may name in X-Sendfile. */
  sendfile: listOf(words('the path of a directory')).default([]),
  ...featureShape,
});

/** As it is written. */
export type SiteInput = z.input<typeof siteSchema>;
/** As it was understood: with defaults, lists as lists, times in milliseconds. */
export type Site = z.output<typeof siteSchema>;
export type RouteConfig = Site['route'][number];
/** What a route can have, or what holds for the whole site. */
export type FeatureName = keyof typeof featureShape | keyof typeof routeOnlyShape;
export type FeatureConfig<N extends FeatureName> = NonNullable<RouteConfig[N]>;
export type ApplicationConfig = Site['apps'][string];

export function middlewareJsonSchema(): Record<string, unknown> {
  const { $schema, ...schema } = z.toJSONSchema(middleware, { io: 'input' });
  return schema;
}

export function siteJsonSchema(): Record<string, unknown> {
  return z.toJSONSchema(siteSchema, { io: 'input' });
}
