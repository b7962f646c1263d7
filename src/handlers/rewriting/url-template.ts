import { ViaductError } from '../../errors.ts';
import type { Request } from '../../http/message.ts';
import { parseTemplate, placeholderValue } from './template.ts';

type UrlPart = 'authority' | 'path' | 'query';
type Piece = string | { readonly name: string; readonly part: UrlPart };

const WHOLE_PATH: ReadonlySet<string> = new Set(['path', 'uri']);
const HOSTS: ReadonlySet<string> = new Set(['host', 'hostname']);
const ORIGIN = /^(?:https?|\{scheme\}):\/\//;

/**
 * A URL or a path with placeholders (`template.ts`). The value of a placeholder cannot leave its part of the URL: a path cannot name another host, and a value in a
 * query cannot start another parameter.
 */
export class UrlTemplate {
  /** Whether it is a URL; false for a path of the same site. */
  readonly isAbsolute: boolean;
  /** Whether the template contains a query. */
  readonly hasQuery: boolean;
  readonly #pieces: readonly Piece[];

  /**
   * `captures` is the number of groups of a pattern. `setting` is the name for messages.
   *
   * @throws ViaductError `SETTINGS` for an unknown or misplaced placeholder, for a text that starts neither with a slash nor with http:// or https://, and for
   * spaces and control characters
   */
  constructor(text: string, setting: string, captures = 0) {
    const origin = ORIGIN.exec(text)?.[0] ?? '';
    this.isAbsolute = origin !== '';
    const refuse = (state: string, advice: string) => {
      throw new ViaductError('SETTINGS', `Cannot use ${setting} ${JSON.stringify(text)}: ${state}`, { advice });
    };
    if (/[^\x21-\x7e\x80-\uffff]/.test(text))
      refuse('it contains a space or a control character', 'Write %20 for a space.');
    if (!this.isAbsolute && !/^(?:\/(?![/\\])|\{(?:path|uri)\})/.test(text)) {
      refuse('it is neither a path nor a URL', 'Start with one slash, or with http:// or https://.');
    }
    const pieces: Piece[] = [];
    let urlPart: UrlPart = this.isAbsolute ? 'authority' : 'path';
    let hasQuery = false;
    const parts = parseTemplate(text.slice(origin.length), setting, captures);
    for (const [i, part] of parts.entries()) {
      if (i % 2 === 0) {
        urlPart = partAfter(urlPart, part);
        hasQuery ||= urlPart === 'query';
        pieces.push(encodeLiteral(part));
        continue;
      }
      if (urlPart === 'authority' && WHOLE_PATH.has(part)) urlPart = 'path';
      if (urlPart === 'authority' && !HOSTS.has(part)) {
        refuse(`{${part}} would be part of the host name`, 'Put a slash between the host and the placeholder.');
      }
      if (urlPart === 'path' && part === 'query') refuse('{query} is in the path', 'Write ?{query}.');
      pieces.push({ name: part, part: urlPart });
      if (part === 'uri' && urlPart === 'path') {
        hasQuery = true;
        urlPart = 'query';
      }
    }
    this.hasQuery = hasQuery;
    this.#pieces = origin.startsWith('{')
      ? [{ name: 'scheme', part: 'authority' }, '://', ...pieces]
      : [origin, ...pieces];
  }

  /** The URL for `request`, without a final `?` or `&`; null if it needs a host and the request has none. */
  fill(request: Request, captures: readonly string[] = []): string | null {
    let url = '';
    for (const piece of this.#pieces) {
      if (typeof piece === 'string') url += piece;
      else {
        const value = placeholderValue(piece.name, request, captures);
        if (value === '' && piece.part === 'authority') return null;
        url += encode(value, piece.name, piece.part);
      }
    }
    if (this.hasQuery) url = url.replace(/[?&]$/, '');
    // A browser takes //host as another site, and a capture may start with a slash.
    return this.isAbsolute ? url : url.replace(/^\/+/, '/');
  }
}

function partAfter(part: UrlPart, literal: string): UrlPart {
  if (part !== 'query' && /[?#]/.test(literal)) return 'query';
  return part === 'authority' && literal.includes('/') ? 'path' : part;
}

function encodeLiteral(text: string): string {
  return text.replace(/[^\x21-\x7e]+|[\\]/g, (characters) => encodeURIComponent(characters));
}

/** Values are already percent-encoded, as the client sent them. Characters that would end their part of the URL are encoded too. */
function encode(value: string, name: string, part: UrlPart): string {
  if (part === 'authority') return value;
  if (part === 'path')
    return name === 'uri' ? value.replaceAll('\\', '%5C') : value.replace(/[\\?#]/g, encodeURIComponent);
  if (name === 'query') return value;
  if (name === 'uri') return encodeURIComponent(value);
  return value.replace(/[&=+;#\\]/g, encodeURIComponent);
}
