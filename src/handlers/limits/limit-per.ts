import type { SchemaTools } from '../schema-tools.ts';

/** The schema of `LimitPer`: the requests that a limit counts together. */
export function limitPer({ z, oneOf, table, words }: SchemaTools) {
  return z
    .union(
      [oneOf(['address', 'route']), table({ header: words('a field name').describe('Name of the field (header).') })],
      'must be address, route or { header = "…" }',
    )
    .default('address')
    .describe('What is counted: each client, all requests together, or each value of a request field.');
}
