import { decimal, duration, listOf, oneOf, table, text, whole, words } from './tools.ts';

const MINUTE_MS = 60_000;

/** How a new release proves itself before and after it takes requests, and what else starts a reload. */
export const reload = table({
  probe: listOf(text(/^\/[^\s#]*$/, 'a path such as /healthz'))
    .prefault([])
    .describe(
      'Paths that a new release must answer, through the whole site, before it takes requests. Without one, its import is enough.',
    ),
  probe_status: whole(100, 599)
    .optional()
    .meta({ description: 'The status that the probes expect.', defaultText: 'any from 200 to 299' }),
  probe_timeout_ms: duration(1, 10 * MINUTE_MS)
    .default(10_000)
    .describe('Time for the answer to each probe.'),
  probe_host: text(/^[^\s/?#@]+$/, 'a host, such as shop.example.org')
    .default('localhost')
    .describe('The host that the probes ask for: one that the application allows.'),
  probe_scheme: oneOf(['http', 'https'])
    .default('http')
    .describe('The scheme of the probes. Applications that redirect to https need https.'),
  watch_ms: duration(0, 60 * MINUTE_MS)
    .default(0)
    .describe(
      'Time for which a new release is compared with the old one, which stays ready to take over again. 0: no comparison.',
    ),
  share: decimal(0.001, 1)
    .default(1)
    .describe(
      'The share of the clients that the new release gets during watch_ms. The same address always gets the same release.',
    ),
  error_rate_max: decimal(0, 1)
    .default(0.05)
    .describe(
      'By how much the share of failed requests of the new release may be higher. Above, the old one takes over again.',
    ),
  latency_ratio_max: decimal(1, 1000)
    .default(2)
    .describe(
      'How many times as long requests may take in the new release (p50 and p95). Above, the old one takes over again.',
    ),
  requests_min: whole(1, 1_000_000).default(50).describe('Requests of the new release before it is compared.'),
  touch: words('the path of a file').optional().meta({
    description: 'A file that starts a reload when it is touched. It may be missing at first.',
    defaultText: 'none',
  }),
});
