import * as z from 'zod';
import { bytes, duration, listOf, oneOf, text, whole, words } from '../../site/schema/tools.ts';
import { BACKEND_MEANS } from '../value.ts';
import { backendForm } from './features.ts';

const yes = z.boolean('must be true or false');
const status = whole(100, 599);
const token = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";

/** A backend, or where backends are found. */
const source = text(
  new RegExp(`${backendForm.source}|^(?:dns|srv|kubernetes)\\+(?:https?|uwsgi|fastcgi|scgi)://[\\w./:-]+$|^file:.+$`),
  `${BACKEND_MEANS}, or where backends are found: dns+http://HOST:PORT, srv+http://NAME, kubernetes+http://NAMESPACE/SERVICE:PORT or file:PATH`,
);

/** One of the backends of a route. */
export const proxiedBackend = z.union([
  source.transform((url) => ({ url, weight: 1, backup: false })),
  z.strictObject({ url: source, weight: whole(1, 100).default(1), backup: yes.default(false) }),
]);

const statusRange = z
  .union([status, text(/^[1-5]\d\d-[1-5]\d\d$/, 'a status such as 200, or a range such as "200-299"')])
  .transform((value): [from: number, to: number] => {
    const [from = 0, to = from] = String(value).split('-').map(Number);
    return [from, to];
  });

/** Checks of backends, beside what requests show. */
const health = z.strictObject({
  path: text(/^\/[^\s#]*$/, 'a path such as /healthz'),
  host: words('a host name').optional(),
  status: listOf(statusRange).default([[200, 399]]),
  body: words('a text that the content has').optional(),
  interval_ms: duration(50).default(5000),
  timeout_ms: duration(1).default(2000),
  healthy_after: whole(1, 100).default(2),
  unhealthy_after: whole(1, 100).default(3),
});

const sticky = z
  .strictObject({
    cookie: text(new RegExp(`^${token}$`), 'the name of a cookie').default('viaduct_backend'),
    secret: z.string().min(16, 'must be a text of 16 characters or more').optional(),
    secret_file: words('the path of a file').optional(),
    max_age_s: whole(1, 10 * 31_536_000).optional(),
    path: text(/^\/[^\s;]*$/, 'a path').default('/'),
  })
  .refine(({ secret, secret_file }) => (secret === undefined) !== (secret_file === undefined), {
    message: 'must have either secret or secret_file',
  });

/** How engines that know backends are asked. */
const discovery = z.strictObject({
  dns_servers: listOf(text(/^[0-9A-Fa-f.:[\]]+$/, 'a numeric address, with a port where it is not 53')).optional(),
  ttl_ms_min: duration(10).default(1000),
  ttl_ms_max: duration(10).default(300_000),
  kubernetes_api: text(/^https?:\/\/[^\s/]+$/, 'the URL of an API').optional(),
  kubernetes_token_file: words('the path of a file').optional(),
  kubernetes_ca_file: words('the path of a file').optional(),
  kubernetes_namespace: text(/^[a-z0-9-]+$/, 'a namespace').optional(),
});

export const proxyOptions = z.strictObject({
  discovery: discovery.prefault({}),
  balance: oneOf(['round-robin', 'least-connections', 'random-two', 'hash']).default('round-robin'),
  /** What the same backend goes with, for `balance = "hash"`. */
  hash_by: text(
    new RegExp(`^(?:address|path|header:${token}|cookie:${token})$`),
    'address, path, header:NAME or cookie:NAME',
  ).default('address'),
  sticky: sticky.optional(),
  health: health.optional(),
  connect_timeout_ms: duration(1).default(5000),
  rest_ms: duration(0).default(1000),
  rest_ms_max: duration(0).default(60_000),
  failures_max: whole(0, 1_000_000).default(10),
  failed_statuses: listOf(whole(400, 599)).default([]),
  retries: whole(0, 10).default(1),
  retry_on: listOf(oneOf(['error', 'timeout'])).default(['error']),
  retry_budget: z.number('must be a number from 0 to 1').min(0).max(1).default(0.2),
  connections_max: whole(0, 1_000_000).default(0),
  queue_max: whole(0, 1_000_000).default(1024),
  queue_timeout_ms: duration(1).default(10_000),
  slow_start_ms: duration(0).default(0),
  response_timeout_ms: duration(1).default(60_000),
  idle_timeout_ms: duration(1).default(60_000),
  tunnel_idle_timeout_ms: duration(0).default(0),
  buffer_request: yes.default(false),
  buffer_response: yes.default(false),
  buffer_memory_bytes_max: bytes(0).default(64 * 1024),
  buffer_file_bytes_max: bytes(0).default(1024 ** 3),
  keep_alive_max: whole(0, 100_000).default(64),
  keep_alive_timeout_ms: duration(1).default(4000),
  host: words('client, backend or a host name').default('client'),
  underscores_in_headers: yes.default(false),
  forwarded: oneOf(['x-forwarded', 'forwarded', 'both', 'off']).default('x-forwarded'),
  /** Variables for backends of gateway protocols. */
  params: z.record(z.string(), z.string('must be a text')).default({}),
  head_bytes_max: bytes(256, 16 * 1024 * 1024).default(65_536),
  head_count_max: whole(1, 10_000).default(200),
  tls_server_name: words('a host name').optional(),
  tls_ca: words('the path of a PEM file').optional(),
  tls_verify: yes.default(true),
});

export type ProxyOptionsConfig = z.output<typeof proxyOptions>;
