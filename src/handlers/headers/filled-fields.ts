import type { HeaderList } from '../../http/message.ts';
import { fieldValue } from '../../placeholders/bytes.ts';
import {
  type Answer,
  type Moment,
  NO_VALUES,
  type Placeholder,
  type PlaceholderRequest,
} from '../../placeholders/placeholder.ts';
import type { Placeholders } from '../../placeholders/placeholders.ts';
import { fillTemplate, isPlain, parseTemplate, plainText, type Template } from '../../placeholders/template.ts';

/** Fields whose values may have placeholders. */
export type FilledFields = readonly (readonly [name: string, value: Template])[];

/** @throws ViaductError `SETTINGS` for a placeholder that does not exist or is not known at `moment` */
export function parseFields(fields: HeaderList, placeholders: Placeholders, moment: Moment): FilledFields {
  const parsed: [string, Template][] = [];
  for (let i = 0; i < fields.length; i += 2) {
    const name = fields[i] as string;
    parsed.push([name, parseTemplate(fields[i + 1] as string, placeholders, { setting: `header "${name}"`, moment })]);
  }
  return parsed;
}

/** The fields if none has a placeholder, else null. */
export function plainFields(fields: FilledFields): string[] | null {
  if (!fields.every(([, value]) => isPlain(value))) return null;
  return fields.flatMap(([name, value]) => [name, plainText(value)]);
}

/** The fields for a request and, if it is known, its answer. */
export function fillFields(fields: FilledFields, request: PlaceholderRequest, answer?: Answer): string[] {
  const filled: string[] = [];
  for (const [name, value] of fields) filled.push(name, fieldValue(fillTemplate(value, request, answer)));
  return filled;
}

/** All fields as one template of field lines. */
export function linesOf(fields: FilledFields): Template {
  return joined(fields.flatMap(([name, value]) => [`${name}: `, ...value, '\r\n']));
}

/** The field lines for a request and its answer. */
export function fillLines(lines: Template, request: PlaceholderRequest, answer: Answer): string {
  let text = '';
  for (const piece of lines)
    text += typeof piece === 'string' ? piece : fieldValue(piece.value(request, answer, NO_VALUES));
  return text;
}

/** `template` without two plain texts in a row. */
function joined(template: Template): Template {
  const pieces: (string | Placeholder)[] = [];
  for (const piece of template) {
    const last = pieces.at(-1);
    if (typeof piece === 'string' && typeof last === 'string') pieces[pieces.length - 1] = last + piece;
    else pieces.push(piece);
  }
  return pieces;
}
