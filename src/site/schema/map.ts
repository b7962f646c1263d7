import * as z from 'zod';
import { host } from './host.ts';
import { bool, record, table, tables, text, words } from './tools.ts';

const value = z.string('must be a text');

/** A map. */
const map = table({
  source: words('a text with placeholders').describe('The text whose value is looked up.'),
  values: record(value).default({}).describe('Texts for exact values. They are looked up first.'),
  caseless: bool().default(false).describe('Whether values ignore the case of letters.'),
  hosts: z
    .record(host, value, 'must be a table')
    .default({})
    .describe('Texts for hosts: a name, or *.NAME for all names below it. The longest name wins.'),
  ranges: record(value)
    .default({})
    .describe('Texts for addresses of clients: a range such as 10.0.0.0/8, or an address. The longest prefix wins.'),
  pattern: tables({
    pattern: words('a regular expression').describe('Regular expression for the value.'),
    value: value.describe('The text for values that match, with the groups of the pattern.'),
  })
    .default([])
    .describe('Texts for values that match a pattern. The first that matches wins.'),
  default: value.default('').describe('The text for all other values.'),
});

/** Maps by their names. */
export const maps = z.record(text(/^[A-Za-z0-9_-]+$/, 'of letters, digits, - and _'), map, 'must be a table');
