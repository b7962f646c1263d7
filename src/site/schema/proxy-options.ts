import * as z from 'zod';
import { discovery } from './discovery.ts';
import { health } from './health.ts';
import { sticky, TOKEN } from './sticky.ts';
import { bool, bytes, duration, listOf, oneOf, record, table, text, whole, words } from './tools.ts';

/** What replaces the start of a URL or path, or a domain. */
const replacement = (from: ReturnType<typeof text>, to: ReturnType<typeof text>) =>
  table({
    from: from.optional().describe('What is replaced. May have placeholders.'),
    pattern: words('a regular expression').optional().describe('Instead of from: what matches is replaced as a whole.'),
    to: to.describe('What replaces it. May have placeholders, and groups of pattern.'),
  }).refine(({ from: start, pattern }) => (start === undefined) !== (pattern === undefined), {
    error: 'must have from or pattern, and to',
  });
const replacements = (from: string) =>
  listOf(
    replacement(text(/^[\x21-\x3a\x3c-\x7e]+$/, from), text(/^[\x20-\x7e]*$/, 'a text of visible ASCII characters')),
  ).prefault([]);

const cookieFlags = table({
  name: words('the name of a cookie').optional().describe('The cookies, in any letter case. May have placeholders.'),
  pattern: words('a regular expression').optional().describe('Instead of name: a pattern that finds a part of it.'),
  secure: bool().optional().describe('Whether they have Secure: only for https.'),
  http_only: bool().optional().describe('Whether they have HttpOnly: not for scripts.'),
  same_site: oneOf(['strict', 'lax', 'none', 'off']).optional().describe('The value of SameSite. off removes it.'),
}).refine(({ name, pattern }) => (name === undefined) !== (pattern === undefined), {
  error: 'must have name or pattern',
});

/** Options for the backends of a route. */
export const proxyOptions = table({
  discovery: discovery.prefault({}).describe('Options of service discovery.'),
  balance: oneOf(['round-robin', 'least-connections', 'random-two', 'hash'])
    .default('round-robin')
    .describe('How a backend is chosen for a request.'),
  hash_by: text(
    new RegExp(`^(?:address|path|header:${TOKEN}|cookie:${TOKEN}|.*\\{.*\\}.*)$`),
    'address, path, header:NAME, cookie:NAME or a text with placeholders',
  )
    .default('address')
    .describe('What requests to the same backend have in common, for balance = "hash".'),
  sticky: sticky
    .optional()
    .describe('Sticky sessions: a cookie keeps a client with the backend that answered it first.'),
  health: health.optional().describe('Health checks: an unhealthy backend gets no requests.'),
  connect_timeout_ms: duration(1)
    .prefault(5000)
    .describe(
      'Time to connect, with https and h2 including the TLS handshake. Then the next backend is tried; without one: 504.',
    ),
  retry_after_ms: duration(0)
    .prefault(1000)
    .describe(
      'How long a backend that cannot be reached is down at first. Each further failure doubles this time. 0: never.',
    ),
  retry_after_ms_max: duration(0).prefault(60_000).describe('The longest time that such a backend is down.'),
  failures_max: whole(0, 1_000_000)
    .default(10)
    .describe(
      "Failures in a row that open a backend's circuit: it gets no requests even if no other is available. 0: never.",
    ),
  failed_statuses: listOf(whole(400, 599)).prefault([]).describe('Statuses of responses that count as failures.'),
  retries: whole(0, 10)
    .default(1)
    .describe('How many other backends are tried with a request that a backend received but failed to answer.'),
  retry_on: listOf(oneOf(['error', 'timeout']))
    .prefault(['error'])
    .describe('Which failures are retried: error means no valid response, timeout means no response in time.'),
  retry_budget: z
    .number('must be a number from 0 to 1')
    .min(0, 'must be a number from 0 to 1')
    .max(1, 'must be a number from 0 to 1')
    .default(0.2)
    .describe('The share of all requests that may be repeated.'),
  connections_max: whole(0, 1_000_000)
    .default(0)
    .describe('Requests that each backend handles at a time. 0: no limit.'),
  queue_max: whole(0, 1_000_000)
    .default(1024)
    .describe('Requests that may wait for a backend, when connections_max is reached; then 503.'),
  queue_timeout_ms: duration(1).prefault(10_000).describe('How long a request may wait for a backend; then 503.'),
  slow_start_ms: duration(0)
    .prefault(0)
    .describe(
      'How long a backend that was found, or is healthy again, takes to get its whole share. 0: it gets it at once.',
    ),
  response_timeout_ms: duration(1)
    .prefault(60_000)
    .describe("Time from the end of the request to the end of the response's head; then 504."),
  idle_timeout_ms: duration(1)
    .prefault(60_000)
    .describe(
      'Time between two blocks of a response that the client waits for, or of a request that the backend does not read.',
    ),
  tunnel_idle_timeout_ms: duration(0)
    .prefault(0)
    .describe('Time without a byte in either direction of an upgraded connection, such as a WebSocket. 0: no limit.'),
  buffer_request: bool()
    .default(false)
    .describe(
      'Receive the whole content of a request before a backend is chosen, so that a slow upload occupies none.',
    ),
  buffer_response: bool()
    .default(false)
    .describe('Read a response as fast as the backend sends it, so that a slow client does not occupy the backend.'),
  buffer_memory_bytes_max: bytes(0)
    .prefault(64 * 1024)
    .describe('Buffered content of one message that stays in memory. More goes to a file.'),
  buffer_file_bytes_max: bytes(0)
    .prefault(1024 ** 3)
    .describe('Size of this file for a response. When it is full, the backend has to wait.'),
  keep_alive_max: whole(0, 100_000)
    .default(64)
    .describe(
      'Idle connections to keep for each backend. 0: a new connection for each request; with HTTP/2, for all requests at the same time.',
    ),
  keep_alive_timeout_ms: duration(1)
    .prefault(4000)
    .describe("How long to keep an idle connection. Set it lower than the backend's own time-out."),
  host: words('client, backend or a host name')
    .default('client')
    .describe("The Host that the backend gets: the client's, the backend's own, or this one."),
  redirects: listOf(
    z.union(
      [
        z.literal('backend'),
        replacement(text(/^[\x21-\x7e]+$/, 'the start of a URL or path'), text(/^[\x21-\x7e]+$/, 'a URL or path')),
      ],
      'must be backend, or a table of from or pattern, and to',
    ),
  )
    .prefault([])
    .describe('What is rewritten in Location and Refresh of responses. backend: URLs of the backends.'),
  cookie_path: replacements('the start of a path').describe('What is rewritten in the Path of cookies of responses.'),
  cookie_domain: replacements('a domain').describe(
    'What is rewritten in the Domain of cookies of responses. An empty text removes it.',
  ),
  cookie_flags: listOf(cookieFlags).prefault([]).describe('The flags of cookies of responses.'),
  underscores_in_headers: bool()
    .default(false)
    .describe('Pass on fields (headers) with an underscore in their name. Many applications take X_User for X-User.'),
  forwarded: oneOf(['x-forwarded', 'forwarded', 'both', 'off'])
    .default('x-forwarded')
    .describe('The fields (headers) that describe the client to the backend.'),
  params: record(z.string('must be a text'))
    .default({})
    .describe(
      'Variables for backends that speak uwsgi, FastCGI or SCGI. They override those of the request, and may have placeholders.',
    ),
  head_bytes_max: bytes(256, 16 * 1024 * 1024)
    .prefault(65_536)
    .describe("Length of all header lines of a backend's response; then 502."),
  head_count_max: whole(1, 10_000).default(200).describe("Header lines of a backend's response; then 502."),
  tls_server_name: words('a host name').optional().meta({
    description: 'For https and h2: the name that the certificate must have.',
    defaultText: "the backend's host",
  }),
  tls_ca: words('the path of a PEM file').optional().meta({
    description: 'For https and h2: file with the certificate authorities to trust.',
    defaultText: "the system's",
  }),
  tls_verify: bool().default(true).describe("For https and h2: whether to check the backend's certificate."),
});

export type ProxyOptionsConfig = z.output<typeof proxyOptions>;
