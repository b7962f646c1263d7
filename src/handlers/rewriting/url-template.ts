import { ViaductError } from '../../errors.ts';
import type { Request } from '../../http/message.ts';
import { parseTemplate, placeholderValue } from './template.ts';

type Place = 'authority' | 'path' | 'query';
type Piece = string | { readonly name: string; readonly place: Place };

const WHOLE_PATH: ReadonlySet<string> = new Set(['path', 'uri']);
const HOSTS: ReadonlySet<string> = new Set(['host', 'hostname']);
const ORIGIN = /^(?:https?|\{scheme\}):\/\//;

/**
 * A URL, or a path, with placeholders (`template.ts`). What a placeholder gives is part of the place where it stands and cannot end it: no path can name
 * another host, and in a query no value begins a new parameter.
 */
export class UrlTemplate {
  /** False for a path of the same site. */
  readonly isAbsolute: boolean;
  /** Whether it says itself what the query is. */
  readonly hasQuery: boolean;
  readonly #pieces: readonly Piece[];

  /**
   * `captures` tells how many groups a pattern gives; `setting` says where `text` stands.
   *
   * @throws ViaductError `SETTINGS` for a placeholder that does not exist or may not stand where it does, for what begins neither with a slash
   * nor with http:// or https://, and for spaces and controls.
   */
  constructor(text: string, setting: string, captures = 0) {
    const origin = ORIGIN.exec(text)?.[0] ?? '';
    this.isAbsolute = origin !== '';
    const refuse = (state: string, advice: string) => {
      throw new ViaductError('SETTINGS', `Cannot use ${setting} ${JSON.stringify(text)}: ${state}`, { advice });
    };
    if (/[^\x21-\x7e\x80-\uffff]/.test(text)) refuse('it holds a space or a control', 'Write %20 for a space.');
    if (!this.isAbsolute && !/^(?:\/(?![/\\])|\{(?:path|uri)\})/.test(text)) {
      refuse('it is neither a path nor a URL', 'Begin with one slash, or with http:// or https://.');
    }
    const pieces: Piece[] = [];
    let place: Place = this.isAbsolute ? 'authority' : 'path';
    let hasQuery = false;
    const parts = parseTemplate(text.slice(origin.length), setting, captures);
    for (const [i, part] of parts.entries()) {
      if (i % 2 === 0) {
        place = placeAfter(place, part);
        hasQuery ||= place === 'query';
        pieces.push(encodeLiteral(part));
        continue;
      }
      if (place === 'authority' && WHOLE_PATH.has(part)) place = 'path';
      if (place === 'authority' && !HOSTS.has(part)) {
        refuse(
          `{${part}} would be part of a host's name`,
          'Let a slash stand between the host and what requests give.',
        );
      }
      if (place === 'path' && part === 'query') refuse('{query} stands in a path', 'Write ?{query}.');
      pieces.push({ name: part, place });
      if (part === 'uri' && place === 'path') {
        hasQuery = true;
        place = 'query';
      }
    }
    this.hasQuery = hasQuery;
    this.#pieces = origin.startsWith('{')
      ? [{ name: 'scheme', place: 'authority' }, '://', ...pieces]
      : [origin, ...pieces];
  }

  /** The URL for `request`, without a `?` or `&` that nothing follows; null when it needs a host and the request has none. */
  fill(request: Request, captures: readonly string[] = []): string | null {
    let url = '';
    for (const piece of this.#pieces) {
      if (typeof piece === 'string') url += piece;
      else {
        const value = placeholderValue(piece.name, request, captures);
        if (value === '' && piece.place === 'authority') return null;
        url += encode(value, piece.name, piece.place);
      }
    }
    if (this.hasQuery) url = url.replace(/[?&]$/, '');
    // a browser takes //host for another site, and a capture may begin with a slash
    return this.isAbsolute ? url : url.replace(/^\/+/, '/');
  }
}

function placeAfter(place: Place, literal: string): Place {
  if (place !== 'query' && /[?#]/.test(literal)) return 'query';
  return place === 'authority' && literal.includes('/') ? 'path' : place;
}

function encodeLiteral(text: string): string {
  return text.replace(/[^\x21-\x7e]+|[\\]/g, (found) => encodeURIComponent(found));
}

/** Values are percent-encoded already, as they came; what would end their place is encoded in addition. */
function encode(value: string, name: string, place: Place): string {
  if (place === 'authority') return value;
  if (place === 'path')
    return name === 'uri' ? value.replaceAll('\\', '%5C') : value.replace(/[\\?#]/g, encodeURIComponent);
  if (name === 'query') return value;
  if (name === 'uri') return encodeURIComponent(value);
  return value.replace(/[&=+;#\\]/g, encodeURIComponent);
}
