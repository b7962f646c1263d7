import * as z from 'zod';
import { bytes, feature, listOf, oneOf, text, whole, words } from './values.ts';

const fields = z.record(z.string(), z.string('must be a text'));
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
  rewrite: feature(rewrite).optional(),
};
