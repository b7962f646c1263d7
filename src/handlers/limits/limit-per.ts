import type { SchemaTools } from '../schema-tools.ts';

/** The schema of `LimitPer`: the requests that a limit counts together. */
export function limitPer({ z, oneOf, table, words }: SchemaTools) {
  return z
    .union(
      [
        oneOf(['address', 'route']),
        table({
          header: words('a field name').optional().describe('Name of the field (header).'),
          text: words('a text with placeholders').optional().describe('A text with placeholders, instead of header.'),
        }),
      ],
      'must be address, route, { header = "…" } or { text = "…" }',
    )
    .default('address')
    .describe(
      'What is counted: each client, all requests together, or each value of a request field or of a text with placeholders.',
    );
}

/** The schema of a limit's zone. */
export function limitZone({ words }: SchemaTools) {
  return words('a name').optional().meta({
    description: 'Limits of this kind with the same zone count together.',
    defaultText: 'none: the limit counts alone',
  });
}
