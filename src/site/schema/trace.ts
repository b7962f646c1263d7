import { bool, bytes, decimal, oneOf, table, text, whole, words } from './tools.ts';

/** Which requests are recorded, and how many records are kept. */
export const trace = table({
  sample: decimal(0, 1)
    .default(0)
    .describe('The share of requests that are recorded in full: 0.01 is one of a hundred. A route can have its own.'),
  keep_failed: bool()
    .default(true)
    .describe(
      'Whether the stages of each request are kept that failed: a status from 500, or a response that broke off.',
    ),
  keep_slow: bool()
    .default(true)
    .describe('Whether the stages of each request are kept that was slower than 99 of 100 of its route.'),
  memory_bytes_max: bytes(65_536)
    .default(64 * 1024 * 1024)
    .describe('Memory for the records of each server process. The oldest are dropped for newer ones.'),
  entries_max: whole(1, 1_000_000).default(10_000).describe('How many records each server process keeps at most.'),
  secret: text(/^.{16,}$/, 'at least 16 characters')
    .optional()
    .meta({
      description: 'The key of tokens with which a client lets its request be recorded. Better in a file: secret_file.',
      defaultText: 'none: there are no such tokens',
    }),
  secret_file: words('the path of a file')
    .optional()
    .meta({ description: 'The file with that key. It is read at the start and at each reload.', defaultText: 'none' }),
  tokens_from: oneOf(['any', 'trusted'])
    .default('any')
    .describe('Whose tokens count: those of all clients, or those of trusted proxies.'),
  sql_parameters: bool()
    .default(false)
    .describe('Whether the parameters of queries are recorded. They are often personal data.'),
  traceparent: oneOf(['trust', 'ignore'])
    .default('trust')
    .describe('Whether a record belongs to the trace that a trusted proxy states with traceparent.'),
});
