import * as z from 'zod';
import { listOf, table, words } from './tools.ts';

const alternatives = z
  .union([z.array(z.string()).nonempty(), z.string()], 'must be a text, or a list of texts')
  .transform((value) => [value].flat());
const comparison = table({
  is: alternatives.optional().describe('The value is one of these. "*" stands for any value, "" for none.'),
  not: alternatives.optional().describe('The value differs from all of these.'),
  pattern: listOf(words('a regular expression')).prefault([]).describe('The value matches one of these expressions.'),
  not_pattern: listOf(words('a regular expression'))
    .prefault([])
    .describe('The value does not match any of these expressions.'),
});
/** What a text with placeholders is compared with. */
export const condition = z.union(
  [alternatives.transform((is) => ({ is, not: undefined, pattern: [], not_pattern: [] })), comparison],
  'must be a text, a list of texts, or a table of is, not, pattern and not_pattern',
);
