import type { Field } from './document.ts';
import { redactField } from './redact.ts';
import type { HopFields } from './trace-record.ts';

/** The fields of a message, secrets redacted, from a list of names and values or from encoded lines. */
export function fieldsOf(fields: HopFields): Field[] {
  return typeof fields === 'string' ? fromLines(fields) : fromList(fields);
}

function fromList(list: readonly string[]): Field[] {
  const fields: Field[] = [];
  for (let i = 0; i + 1 < list.length; i += 2) fields.push(redactField(list[i] as string, list[i + 1] as string));
  return fields;
}

/** A request line or status line before the fields has no colon behind a token, and is left out. */
function fromLines(lines: string): Field[] {
  return lines.split('\r\n').flatMap((line) => {
    const [, name, value] = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*(.*)$/s.exec(line) ?? [];
    return name === undefined ? [] : [redactField(name, value ?? '')];
  });
}
