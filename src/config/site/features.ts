import * as z from 'zod';
import { bytes, duration, feature, listOf, oneOf, text, whole, words } from '../../site/schema/tools.ts';

const fields = z.record(
  z.string(),
  z.union([z.string(), z.array(z.string())], 'must be a text, or an array of texts for several fields'),
);
const names = listOf(words('a field name'));
const value = words('the value of a field');
const optional = z.union([value, z.literal(false)], 'must be the value of a field, or false for none');

const fieldRules = { set: fields.default({}), add: fields.default({}), remove: names.default([]) };

const headers = z.strictObject({
  ...fieldRules,
  default: fields.default({}),
  request: z.strictObject(fieldRules).prefault({}),
});

const securityHeaders = z.strictObject({
  content_security_policy: value.optional(),
  frame_options: z
    .union([z.literal('DENY'), z.literal('SAMEORIGIN'), z.literal(false)], 'must be DENY, SAMEORIGIN or false')
    .optional(),
  referrer_policy: optional.optional(),
  opener_policy: optional.optional(),
  permissions_policy: value.optional(),
  hsts: z
    .strictObject({
      max_age_s: whole(0, 10 * 31_536_000),
      include_subdomains: z.boolean('must be true or false').default(false),
      preload: z.boolean('must be true or false').default(false),
    })
    .optional(),
});

const compression = z.strictObject({
  encodings: listOf(oneOf(['zstd', 'br', 'gzip'])).optional(),
  bytes_min: bytes(0).optional(),
  types: listOf(
    text(/^[\w*.+-]+\/[\w*.+-]+$|^\*\+\w+$/, 'a media type such as text/html, text/* or *+json'),
  ).optional(),
});

const rewrite = z.strictObject({
  prefix: words('a path').optional(),
  replacement: words('a path').optional(),
  pattern: words('a regular expression').optional(),
  to: words('a path').optional(),
  query: z.strictObject({ set: fields.default({}), remove: names.default([]) }).optional(),
});

const access = z.strictObject({
  allow: listOf(words('an address range')).optional(),
  deny: listOf(words('an address range')).optional(),
});

const per = z
  .union(
    [oneOf(['address', 'route']), z.strictObject({ header: words('a field name') })],
    'must be address, route or { header = "…" }',
  )
  .default('address');

const RATE = /^(\d{1,7}(?:\.\d{1,3})?)\/(s|min|h)$/;
const SECONDS = { s: 1, min: 60, h: 3600 } as const;

const rateLimit = z.strictObject({
  per,
  rate: text(RATE, 'a rate such as 10/s, 100/min or 1000/h').transform((rate) => {
    const [, count, unit] = RATE.exec(rate) ?? [];
    return Number(count) / SECONDS[unit as keyof typeof SECONDS];
  }),
  burst: whole(1, 1_000_000).default(1),
  announce: z.boolean('must be true or false').default(false),
});

const requestLimit = z.strictObject({
  per,
  max: whole(1, 1_000_000).optional(),
  total_max: whole(1, 1_000_000).optional(),
  status: z.literal([429, 503], 'must be 429 or 503').default(503),
});

const cors = z.strictObject({
  origins: listOf(words('an origin such as https://example.org')),
  methods: listOf(words('a method')).optional(),
  headers: names.optional(),
  exposed_headers: names.optional(),
  credentials: z.boolean('must be true or false').optional(),
  max_age_s: whole(0, 31_536_000).optional(),
  private_network: z.boolean('must be true or false').optional(),
});

const hash = words('a password hash: viaduct hash-password makes one');

const basicAuth = z.strictObject({
  users: z.record(z.string(), hash).default({}),
  file: words('the path of a file').optional(),
  remember_ms: duration(0).optional(),
  realm: words('a text').optional(),
  user_header: words('a field name').optional(),
  hide_credentials: z.boolean('must be true or false').optional(),
});

/** How one writes where a backend listens. */
export const backendForm =
  /^(?:https?:\/\/(?:unix:.+|(?:[\w.-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?\/?)|unix:.+|(?:uwsgi|fastcgi|scgi):\/\/(?:unix:.+|(?:[\w.-]+|\[[0-9A-Fa-f:.]+\]):\d{1,5}))$/;

const forwardAuth = z.strictObject({
  url: text(/^https?:\/\/[^\s/?#]+\/\S*$/, 'a URL with a path, such as http://127.0.0.1:9091/verify'),
  timeout_ms: duration(1).default(5000),
  request_headers: names.optional(),
  copy_headers: names.optional(),
  client_headers: names.optional(),
});

const errorPages = z.strictObject({
  pages: z.record(z.string(), words('the path of a file')),
  intercept: z.boolean('must be true or false').default(false),
});

const maintenance = z.strictObject({
  file: words('the path of a file').optional(),
  enabled: z.boolean('must be true or false').default(false),
  allow: listOf(words('an address range')).default([]),
  retry_after_s: whole(0, 31_536_000).optional(),
  page: words('the path of a file').optional(),
});

/**
 * What can happen to a request on its way, for one route or, above all routes, for every request. `false` in a route switches off what holds
 * above.
 */
export const featureShape = {
  headers: feature(headers).optional(),
  security_headers: feature(securityHeaders).optional(),
  compression: feature(compression).optional(),
  https_redirect: feature(z.strictObject({ port: whole(1, 65_535).optional() })).optional(),
  canonical_host: feature(
    z.strictObject({ host: words('a host name'), from: listOf(words('a host name')).optional() }),
  ).optional(),
  access: feature(access).optional(),
  rate_limit: feature(rateLimit).optional(),
  request_limit: feature(requestLimit).optional(),
  cors: feature(cors).optional(),
  basic_auth: feature(basicAuth).optional(),
  forward_auth: feature(forwardAuth).optional(),
  error_pages: feature(errorPages).optional(),
  maintenance: feature(maintenance).optional(),
  rewrite: feature(rewrite).optional(),
};

/** What only a route can have: for the whole site it is a setting. */
export const routeOnlyShape = {
  body_bytes_max: bytes(0).optional(),
};
