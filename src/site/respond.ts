import { ViaductError } from '../errors.ts';
import { CLOSED_WITHOUT_RESPONSE, NO_RESPONSE } from '../http/no-response.ts';
import { PreparedResponse } from '../http/prepared-response.ts';
import { Response } from '../http/response.ts';
import { bytesOf, textOf } from '../placeholders/bytes.ts';
import { NO_ANSWER, NO_VALUES } from '../placeholders/placeholder.ts';
import { isPlain, parseTemplate, plainText, type Template } from '../placeholders/template.ts';
import { notFound } from './not-found.ts';
import type { RouteContext, Terminal } from './route-context.ts';
import type { RouteConfig } from './schema/site.ts';

type Options = NonNullable<RouteConfig['respond']>;

/** The fixed answer of a route. Values in its text are escaped as its media type needs it, so that no client can add markup. */
export function responding(
  { status, body, content_type: type }: Options,
  { keys, errors, placeholders }: Pick<RouteContext, 'keys' | 'errors' | 'placeholders'>,
): Terminal {
  const name = `respond ${status}`;
  if (status === CLOSED_WITHOUT_RESPONSE && body === '') return { name, next: () => NO_RESPONSE };
  if (status === 204 || status === 304) return { name, next: () => Response.fromHeaders(status, [], null) };
  const next = errors.attempt([...keys, 'respond', 'body'], () => {
    const template = parseTemplate(body, placeholders, { setting: 'respond body' });
    return isPlain(template) ? plain(status, type, plainText(template)) : filled(status, type, template);
  });
  return { name, next: next ?? notFound };
}

function plain(status: number, type: string, text: string) {
  const bytes = Buffer.from(text, 'utf8');
  const response = new PreparedResponse(status, ['Content-Type', type, 'Content-Length', `${bytes.length}`], bytes);
  return () => response;
}

function filled(status: number, type: string, template: Template): Terminal['next'] {
  const escaped = escapeFor(type);
  const pieces = template.map((piece) => (typeof piece === 'string' ? bytesOf(piece) : piece));
  return (request) => {
    let text = '';
    for (const piece of pieces)
      text += typeof piece === 'string' ? piece : escaped(piece.value(request, NO_ANSWER, NO_VALUES));
    const bytes = Buffer.from(text, 'latin1');
    return Response.fromHeaders(status, ['Content-Type', type, 'Content-Length', `${bytes.length}`], bytes);
  };
}

/** How a value is written in a text of this media type. */
function escapeFor(type: string): (bytes: string) => string {
  const media = (type.split(';', 1)[0] as string).trim().toLowerCase();
  if (media === 'text/plain') return (bytes) => bytes;
  if (/^(?:text\/html|(?:text|application)\/xml|[a-z]+\/[a-z.-]+\+xml)$/.test(media)) return escapeMarkup;
  if (/^application\/(?:json|[a-z.-]+\+json)$/.test(media)) return escapeJson;
  throw new ViaductError(
    'SETTINGS',
    `Cannot use placeholders in a text of type ${JSON.stringify(type)}: Viaduct cannot make values of clients safe in it`,
    {
      advice: 'Use text/plain, text/html, XML or JSON, or write the text without placeholders.',
    },
  );
}

const MARKUP: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escapeMarkup(bytes: string): string {
  return bytes.replace(/[&<>"']/g, (character) => MARKUP[character] as string);
}

/** A value inside the quotes of a JSON string. */
function escapeJson(bytes: string): string {
  return bytesOf(JSON.stringify(textOf(bytes)).slice(1, -1));
}
