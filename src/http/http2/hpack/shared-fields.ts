import type { HeaderField } from './header-field.ts';
import { recurrenceOf } from './outgoing-field.ts';

const FIELDS_MAX = 1024;
const CHARACTERS_MAX = 256;

/** Fields by name, then by value. All go when there are FIELDS_MAX. */
const known = new Map<string, Map<string, HeaderField>>();
let count = 0;

/**
 * Returns the field that stands for `field` in the tables of all connections: browsers of one version send the same fields, which would
 * otherwise be most of what an idle connection holds. Long fields, secret ones, and those that usually differ are returned as they are.
 */
export function sharedField(field: HeaderField): HeaderField {
  const { name, value } = field;
  const values = known.get(name);
  const other = values?.get(value);
  if (other !== undefined) return other;
  if (name.length + value.length > CHARACTERS_MAX || recurrenceOf(name) !== 'usual') return field;
  if (count >= FIELDS_MAX) {
    known.clear();
    count = 0;
  }
  count += 1;
  if (values === undefined || count === 1) known.set(name, new Map([[value, field]]));
  else values.set(value, field);
  return field;
}
