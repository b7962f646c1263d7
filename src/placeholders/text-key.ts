import type { Request } from '../http/message.ts';
import type { Placeholders } from './placeholders.ts';
import { fillTemplate, parseTemplate } from './template.ts';

/**
 * The function that computes a request's hash key from a text with placeholders. If the text is empty, the key is the client's address.
 *
 * @throws ViaductError `SETTINGS` for a placeholder that does not exist
 */
export function textKey(text: string, placeholders: Placeholders): (request: Request) => string {
  const template = parseTemplate(text, placeholders, { setting: 'hash_by' });
  return (request) => fillTemplate(template, request) || request.peer.remoteAddress;
}
