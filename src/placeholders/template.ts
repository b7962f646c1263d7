import { type Answer, NO_ANSWER, NO_VALUES, type Placeholder, type PlaceholderRequest } from './placeholder.ts';
import type { Placeholders, TextPlace } from './placeholders.ts';

/** A text in pieces: plain text, and placeholders. */
export type Template = readonly (string | Placeholder)[];

/**
 * Splits `text` into plain text and placeholders. Two braces before a name stand for one brace of plain text. Braces without a name inside are plain text.
 *
 * @throws ViaductError `SETTINGS` for a placeholder that does not exist, or is not known at this place
 */
export function parseTemplate(text: string, placeholders: Placeholders, place: TextPlace): Template {
  const pieces: (string | Placeholder)[] = [];
  let plain = '';
  let at = 0;
  for (const { 0: all, 1: braces = '', 2: name = '', index } of text.matchAll(PLACEHOLDER)) {
    plain += text.slice(at, index) + '{'.repeat(braces.length >> 1);
    at = index + all.length;
    const placeholder = braces.length % 2 === 1 ? placeholders.find(name, text, place) : null;
    if (placeholder === null) {
      plain += braces.length % 2 === 1 ? `{${name}}` : `${name}}`;
      continue;
    }
    if (plain !== '') pieces.push(plain);
    plain = '';
    pieces.push(placeholder);
  }
  plain += text.slice(at);
  return plain === '' ? pieces : [...pieces, plain];
}

const PLACEHOLDER = /(\{+)([A-Za-z_]\w*(?:\.[^{}\s]+)*|\d+)\}/g;

/** Plain text as a template that stands for it. */
export function templateOfPlain(text: string): string {
  return text.replace(PLACEHOLDER, (_, braces: string, name: string) => `${braces}${braces}${name}}`);
}

/** The names of the placeholders in `text`, whether they exist or not. */
export function namesIn(text: string): string[] {
  const matches = [...text.matchAll(PLACEHOLDER)].filter(([, braces = '']) => braces.length % 2 === 1);
  return matches.map(([, , name = '']) => name);
}

/** Whether a template is plain text. */
export function isPlain(template: Template): boolean {
  return template.every((piece) => typeof piece === 'string');
}

/** The text of a template that is plain. */
export function plainText(template: Template): string {
  return template.join('');
}

/** The text of `template` for a request. `groups` are the values of the groups of its pattern. */
export function fillTemplate(
  template: Template,
  request: PlaceholderRequest,
  answer: Answer = NO_ANSWER,
  groups: readonly string[] = NO_VALUES,
): string {
  let text = '';
  for (const piece of template) text += typeof piece === 'string' ? piece : piece.value(request, answer, groups);
  return text;
}
